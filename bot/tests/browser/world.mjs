// What the simulated Discord consists of.

export async function world(rest) {
    const answer = await fetch(`${rest}/simulator/world`);
    return answer.json();
}

/** The first server, with its owner, an ordinary member, and others. */
export async function scene(rest) {
    const { guilds } = await world(rest);
    const [guild, other] = guilds;
    const people = guild.busiest_members;
    return { guild, other, owner: people[0], member: people[3], others: people.slice(4) };
}

/** Sends a request to the simulator's controls. */
export async function control(rest, path, body) {
    const answer = await fetch(`${rest}/simulator/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
    });
    if (!answer.ok) {
        throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    }
}

if (process.argv[3] === "owner") {
    const { owner } = await scene(process.argv[2]);
    console.log(owner.id);
}
