// Makes pages more convenient. Everything works without it.
"use strict";

{
    const texts = document.currentScript.dataset;

    // Times in the visitor's own zone.
    const local = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    for (const time of document.querySelectorAll("main time[datetime]")) {
        const at = new Date(time.dateTime);
        if (!Number.isNaN(at.valueOf())) {
            time.title = time.textContent;
            time.textContent = local.format(at);
        }
    }

    // A question before what is hard to take back.
    document.addEventListener("submit", (event) => {
        const button = event.submitter;
        if (button?.matches(".danger")) {
            const label = button.getAttribute("aria-label") ?? button.textContent.trim();
            if (!window.confirm(`${label}\n${texts.sure}`)) {
                event.preventDefault();
            }
        }
    });

    // A filter for long lists of boxes.
    for (const list of document.querySelectorAll(".choices")) {
        const boxes = [...list.querySelectorAll("label")];
        if (boxes.length < 8) {
            continue;
        }
        const filter = document.createElement("input");
        filter.type = "search";
        filter.autocomplete = "off";
        filter.placeholder = texts.filter;
        filter.setAttribute("aria-label", texts.filter);
        filter.addEventListener("input", () => {
            const wanted = filter.value.trim().toLowerCase();
            for (const box of boxes) {
                box.hidden = !box.textContent.toLowerCase().includes(wanted);
            }
        });
        filter.addEventListener("keydown", (event) => {
            if (event.key === "Enter") {
                event.preventDefault();
            }
        });
        list.before(filter);
    }

    // Previews follow what is typed. The server makes them, as it does without this script.
    for (const button of document.querySelectorAll("button[name=preview]")) {
        const { form } = button;
        let timer;
        let newest = 0;
        const renew = async () => {
            newest += 1;
            const own = newest;
            const body = new URLSearchParams(new FormData(form, button));
            const answer = await fetch(form.getAttribute("action") ?? location.href, { method: "POST", body }).catch(() => undefined);
            if (!answer?.ok) {
                return;
            }
            const page = new DOMParser().parseFromString(await answer.text(), "text/html");
            if (own !== newest) {
                return;
            }
            for (const shown of form.querySelectorAll("[data-preview]")) {
                const fresh = page.getElementById(shown.id);
                if (fresh) {
                    shown.replaceWith(fresh);
                }
            }
        };
        form.addEventListener("input", () => {
            clearTimeout(timer);
            timer = setTimeout(renew, 400);
        });
        button.hidden = true;
    }
}
