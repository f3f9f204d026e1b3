about-description = Was dieser Bot ist und woher er kommt
about-reply = **Eventide** { $version }
    Zählt, was Mitglieder schreiben, jede Nachricht einmal, auch über Neustarts und Ausfälle hinweg.
    Shard { $shard } · gestartet { $since }

card-description = Die Farben der Rangkarten
card-mine-description = Wähle die Farbe deiner Rangkarte
card-server-description = Wähle die Farbe der Karten aller, die keine gewählt haben
card-reset-description = Nimm eine Wahl zurück
card-option-colour = farbe
card-option-colour-description = Die Farbe als #RRGGBB, zum Beispiel #5865F2
card-option-server = server
card-option-server-description = Die Wahl des Servers; sonst deine
card-mine-set = Deine Rangkarte ist jetzt { $colour }. Was darauf nicht zu sehen wäre, wird heller gezeichnet.
card-mine-reset = Deine Rangkarte hat wieder die Farbe des Servers.
card-server-set = Die Rangkarten dieses Servers sind jetzt { $colour }, außer bei Mitgliedern, die selbst gewählt haben.
card-server-reset = Die Rangkarten dieses Servers haben wieder die Farbe des Bots.
card-bad-colour = Eine Farbe schreibst du als `#RRGGBB`, zum Beispiel `#5865F2`: je zwei Ziffern oder Buchstaben bis F für Rot, Grün und Blau.

help-description = Die Befehle und was sie tun
help-title = **Befehle**
help-menu-members = Im Menü eines Mitglieds, unter *Apps*: { $names }
help-menu-messages = Im Menü einer Nachricht, unter *Apps*: { $names }

leaderboard-description = Wer auf diesem Server am meisten XP oder Nachrichten hat
leaderboard-option-by = nach
leaderboard-option-by-description = Was zählt; XP, wenn du nichts wählst
leaderboard-option-page = seite
leaderboard-option-page-description = Welche Seite; die erste, wenn du nichts sagst
leaderboard-by-xp = XP
leaderboard-by-messages = Nachrichten
leaderboard-by-week = XP dieser Woche
leaderboard-title = Rangliste: { $by }
leaderboard-line-xp = **#{ $rank }** { $member } · Level { $level } · { $value } XP
leaderboard-line-messages = **#{ $rank }** { $member } · Level { $level } · { $messages ->
        [one] 1 Nachricht
       *[other] { $value } Nachrichten
    }
leaderboard-footer = Seite { $page } von { $pages } · { $members ->
        [one] ein Mitglied
       *[other] { $count } Mitglieder
    }
leaderboard-footer-week = { $footer } · Wochen beginnen am Montag um 0 Uhr UTC
leaderboard-empty = Noch steht niemand auf der Rangliste. Sei der Erste!
leaderboard-me = Meine Seite
leaderboard-not-on-it = Du stehst noch nicht auf dieser Rangliste: Schreib etwas, dann bist du dabei.

ping-description = Wie schnell der Bot und was er braucht antworten
ping-reply =
    Gateway: { $gateway }
    Discords API: { $rest }
    Datenbank: { $database }
ping-milliseconds = { $milliseconds } ms
ping-not-yet = noch nicht gemessen
ping-away = **antwortet nicht**

privacy-description = Sieh, was auf diesem Server über dich gespeichert ist, oder lass es löschen
privacy-export-description = Hol dir alles, was auf diesem Server über dich gespeichert ist
privacy-export-name = auskunft
privacy-exported = Das ist alles, was auf diesem Server über dich gespeichert ist.
privacy-delete-description = Lass alles löschen, was auf diesem Server über dich gespeichert ist
privacy-delete-name = löschen
privacy-delete-question = Damit werden deine XP, die Zahl deiner Nachrichten und alles andere gelöscht, was auf diesem Server über dich gespeichert ist. Verwarnungen bleiben: Sie gehören dem Server. **Das lässt sich nicht rückgängig machen.** Was du später schreibst, zählt neu.
privacy-delete-button = Alles löschen
privacy-deleted = Deine XP, die Zahl deiner Nachrichten, deine Karte und alles andere, was dich auf diesem Server zählt oder zeigt, ist gelöscht. Verwarnungen bleiben: Sie gehören dem Server.
privacy-hide-description = Lass dich in den Ranglisten dieses Servers auf der Website nicht anzeigen
privacy-hide-name = verbergen
privacy-hidden = Du wirst in den Ranglisten dieses Servers auf der Website nicht angezeigt. `/privacy show` zeigt dich wieder.
privacy-show-description = Lass dich in den Ranglisten dieses Servers auf der Website wieder anzeigen
privacy-show-name = zeigen
privacy-shown = Du wirst in den Ranglisten dieses Servers auf der Website angezeigt, falls er welche hat.

rank-description = Zeigt das Level eines Mitglieds und den Weg zum nächsten
rank-option-member = mitglied
rank-option-member-description = Wessen Rang; ohne Angabe deiner
rank-option-text = text
rank-option-text-description = Als Text statt als Bild
rank-card-level = Level
rank-card-rank = Rang
rank-card-xp = { $done } / { $needed } XP
rank-card-messages = { $messages ->
        [one] eine Nachricht
       *[other] { $count } Nachrichten
    }
rank-card-alt = Rangkarte von { $name }: Level { $level }, Rang { $rank }, { $done } von { $needed } XP bis Level { $next }, insgesamt { $total } XP, { $messages ->
        [one] eine Nachricht
       *[other] { $count } Nachrichten
    }.
rank-reply = **{ $name }** ist auf Level **{ $level }**, Rang **#{ $rank }**
    { $bar }
    { $xp } XP in { $messages ->
        [one] einer Nachricht
       *[other] { $count } Nachrichten
    }; { $missing } XP bis Level { $next }
rank-nobody = **{ $name }** hat auf diesem Server noch keine XP.

error-away = Die Datenbank antwortet gerade nicht. Was du schreibst, zählt trotzdem und wird nachgetragen. Bitte versuche es in einer Minute noch einmal.
error-away-midway = Die Datenbank antwortet gerade nicht. Was begonnen wurde, wird fortgesetzt, sobald sie wieder da ist.
error-broken = Etwas ist schiefgegangen; der Betreiber kann es nachlesen. Bitte versuche es noch einmal.
error-busy = Gerade fragen zu viele. Bitte versuche es in einer Minute noch einmal.
error-discord-away = Discord ist gerade nicht erreichbar; es wurde nichts getan. Bitte versuche es in einer Minute noch einmal.
error-discord-refused = Discord lässt mich das nicht nachsehen; es wurde nichts getan. Bitte prüfe die Berechtigungen meiner Rolle, hier und im betreffenden Kanal.
error-discord-gone = Discord kennt nicht mehr, worum es geht; es wurde nichts getan. Vielleicht wurde es gelöscht.
error-flood = Bitte warte ein wenig, bevor du diesen Befehl wieder benutzt: { $until }.
error-server-only = Dieser Befehl geht nur auf Servern.
error-stale = Dieser Knopf stammt von einer älteren Version des Bots. Bitte benutze den Befehl noch einmal.
error-unknown = Diesen Befehl hat der Bot nicht mehr. Discord zeigt ihn vielleicht noch einige Minuten an.
error-option = Mit **{ $option }** kann dieser Befehl nichts anfangen. Bitte ändere es, oder wähle es aus der Liste, falls Discord eine zeigt.
error-slow = Das hat zu lange gedauert. Bitte versuch es in einer Minute noch einmal.
error-permission = Dafür brauchst du die Berechtigung **{ $permission }**.
permission-manage-guild = Server verwalten
permission-manage-roles = Rollen verwalten
permission-manage-channels = Kanäle verwalten
permission-manage-webhooks = Webhooks verwalten
permission-move-members = Mitglieder verschieben
permission-mute-members = Mitglieder stummschalten
permission-deafen-members = Ein- und Ausgabe von Mitgliedern deaktivieren
permission-manage-nicknames = Nicknames verwalten
permission-manage-messages = Nachrichten verwalten
permission-manage-threads = Threads verwalten
permission-pin-messages = Nachrichten anpinnen
permission-manage-expressions = Ausdrücke verwalten
permission-manage-events = Events verwalten
permission-mention-everyone = Alle erwähnen
permission-view-audit-log = Audit-Log einsehen
permission-moderate-members = Mitglieder im Timeout
permission-kick-members = Mitglieder kicken
permission-ban-members = Mitglieder bannen
permission-other = Administrator
denied-role-above = Damit könnten Mitglieder { $role } bekommen. Dafür muss deine höchste Rolle darüber stehen.
denied-owner-only = { $role } hat die Berechtigung **{ $permission }**. Nur der Eigentümer des Servers kann sie zur Belohnung machen.
denied-member-above = Deine höchste Rolle muss über der des Mitglieds stehen.
hindrance-permission = dem Moderator fehlt die Berechtigung **{ $permission }**.
hindrance-rank = die höchste Rolle des Mitglieds steht nicht unter der des Moderators.

xp-description = XP geben, nehmen, setzen oder zurücksetzen
xp-give-description = Gib einem Mitglied XP, oder allen mit einer Rolle
xp-take-description = Nimm einem Mitglied XP, oder allen mit einer Rolle
xp-set-description = Setze die XP eines Mitglieds, oder aller mit einer Rolle
xp-reset-description = Setze die XP eines Mitglieds, oder aller mit einer Rolle, auf 0
xp-option-amount-description = Wie viel XP
xp-option-member-description = Das Mitglied
xp-option-role-description = Alle mit dieser Rolle
xp-one-of-both = Bitte wähle ein Mitglied oder eine Rolle, eines von beiden.
xp-bot = Bots haben keine XP.
xp-amount = Das ist mehr XP, als das höchste Level braucht. Bitte nimm eine kleinere Zahl.
xp-one = { $user } hatte { $before } XP und hat jetzt { $after }: Level { $level }.
xp-many = Erledigt: Die XP von { $members ->
        [one] einem Mitglied wurden
       *[other] { $count } Mitgliedern wurden
    } geändert. `/levels undo` macht das rückgängig.
xp-nobody = Niemand hat diese Rolle.
xp-done-before = Das ist schon erledigt.
xp-looking = Suche die Mitglieder mit { $role } …
xp-members-hidden = Discord sagt mir nicht, wer eine Rolle hat: Wer den Bot betreibt, muss dafür den Server Members Intent einschalten. Mit einzelnen Mitgliedern geht es.

levels-description = Was Nachrichten einbringen, wie Level angekündigt werden und was sie geben
levels-show-description = Alles auf einen Blick
levels-xp-description = Wie viel XP eine Nachricht einbringt
levels-cooldown-description = Wie lange weitere Nachrichten nichts einbringen
levels-multiplier-description = Lass eine Rolle oder einen Kanal mehr, weniger oder nichts einbringen
levels-role-mode-description = Welche Rolle zählt, wenn ein Mitglied mehrere mit Faktoren hat
levels-boost-description = Lass Nachrichten eine Zeit lang mehr einbringen
levels-boost-end-description = Beende jetzt alle Boosts
levels-announce-description = Wo Level angekündigt werden, und wie
levels-reward-description = Rollen, die es für Level gibt
levels-reward-add-description = Für ein Level eine Rolle geben
levels-reward-remove-description = Eine Rolle nicht mehr für ein Level geben
levels-reward-list-description = Die Rollen, die es für Level gibt
levels-reward-mode-description = Ob Mitglieder die Rollen niedrigerer Level behalten
levels-reward-demotion-description = Wann Mitglieder Rollen von Leveln verlieren, die sie nicht mehr haben
levels-reward-rejoin-description = Ob Mitglieder, die wiederkommen, die Rollen ihres Levels bekommen
levels-reward-sync-description = Die Rollen aller Mitglieder prüfen und geben, was fehlt
levels-curve-description = Wie viel XP Level brauchen
levels-reset-description = Allen Mitgliedern alle XP nehmen
levels-undo-description = Eine Änderung von XP rückgängig machen
levels-option-least-description = Die wenigsten XP für eine Nachricht
levels-option-most-description = Die meisten XP für eine Nachricht
levels-option-seconds-description = In Sekunden; 0 für keine
levels-option-factor-description = Der Faktor, zum Beispiel 2 oder 0,5; 0 bringt nichts ein, 1 ist wie üblich
levels-option-role-description = Die Rolle
levels-option-channel-description = Der Kanal, die Kategorie oder der Thread
levels-option-mode-description = Welche zählt
levels-option-mode-largest = der größte Faktor
levels-option-mode-highest = die Rolle, die am höchsten steht
levels-option-mode-sum = alle zusammengezählt
levels-option-hours-description = Für wie viele Stunden
levels-option-where-description = Wo
levels-option-where-off = nirgends
levels-option-where-same-channel = im Kanal der Nachricht
levels-option-where-channel = in einem bestimmten Kanal
levels-option-where-direct = in einer Direktnachricht
levels-option-text-description = Zum Beispiel: {"{"}user{"}"} ist jetzt Level {"{"}level{"}"}!
levels-option-ping-description = Ob das Mitglied benachrichtigt wird
levels-option-level-description = Das Level
levels-option-remove-description = Wann sie genommen werden; von Hand vergebene Rollen bleiben
levels-option-remove-never = nie
levels-option-remove-undo = wenn eine Änderung von XP zurückgenommen wird
levels-option-remove-always = immer wenn das Level sinkt
levels-option-give-description = Ob sie sie bekommen
levels-option-dry-run-description = Nichts ändern, nur zeigen, wie viele Mitglieder geprüft würden und was im Weg steht
levels-option-take-description = Auch Rollen nehmen, die ich für Level gab, die Mitglieder nicht mehr haben
levels-option-keep-description = Was mit den Rollen niedrigerer Level wird
levels-option-keep-stack = Mitglieder behalten sie
levels-option-keep-replace = nur die höchste bleibt
levels-option-kind-description = Die Kurve
levels-option-kind-mee6 = wie bei MEE6
levels-option-kind-linear = gleich viel für jedes Level
levels-option-kind-arcane = wie bei Arcane
levels-option-kind-cubic = eine eigene
levels-option-step-description = Für gleich viel je Level: wie viel XP
levels-option-cubic-description = Für eine eigene: mal Level³
levels-option-square-description = Für eine eigene: mal Level²
levels-option-straight-description = Für eine eigene: mal Level
levels-option-change-description = Welche; die neueste, wenn du keine wählst
levels-one-of-both = Bitte wähle eine Rolle oder einen Kanal, eines von beiden.
levels-server = der ganze Server
levels-xp-order = Das Minimum ist größer als das Maximum.
levels-xp-done = Eine Nachricht bringt ab jetzt { $range } ein.
levels-xp-one = { $most } XP
levels-xp-range = { $least } bis { $most } XP
levels-cooldown-done = { $seconds ->
        [0] Ab jetzt bringt jede Nachricht XP ein.
        [one] Ein Mitglied erhält ab jetzt höchstens einmal pro Sekunde XP.
       *[other] Ein Mitglied erhält ab jetzt höchstens einmal in { $count } Sekunden XP.
    }
levels-multiplier-done = Faktor für { $target }: ab jetzt { $factor }.
levels-multiplier-none = Faktor für { $target }: Nachrichten bringen ab jetzt nichts ein.
levels-multiplier-gone = Ab jetzt kein Faktor für { $target }.
levels-multiplier-too-many = Es gibt schon 100 Faktoren. Bitte setze erst einen davon auf 1.
levels-role-mode-done = Wenn ein Mitglied mehrere Rollen mit Faktoren hat, zählt: { $mode }.
levels-boost-done = Boost: { $target } { $factor } bis { $until }
levels-boost-end-done = Alle Boosts sind beendet.
levels-boost-too-many = Es gibt schon 10 Boosts. Bitte warte, bis einer endet, oder beende sie mit `/levels boost-end`.
levels-curve-flat = Ein Level muss mindestens 1 XP brauchen. Bitte gib der Kurve eine größere Zahl.
levels-curve-done = Erledigt. Die XP bleiben, und die Level folgen: Level 1 ab { $one }, 10 ab { $ten }, 50 ab { $fifty }, 100 ab { $hundred } XP.
levels-announce-off = Level werden nicht angekündigt.
levels-announce-same = Level werden im Kanal der Nachricht angekündigt.
levels-announce-channel = Level werden in { $channel } angekündigt.
levels-announce-direct = Level werden in einer Direktnachricht angekündigt.
levels-announce-no-channel = Bitte wähle auch den Kanal.
levels-announce-bad = Der Text lässt sich nicht verwenden: { $fault }
levels-reward-added = Für Level { $level } gibt es ab jetzt { $role }. `/levels reward sync` gibt sie denen, die schon so weit sind.
levels-reward-removed = Für kein Level gibt es mehr { $role }. Wer sie hat, behält sie.
levels-reward-none = Für kein Level gibt es { $role }.
levels-reward-empty = Noch gibt es für kein Level eine Rolle. `/levels reward add` ändert das.
levels-reward-too-many = Es gibt schon 250 Belohnungen, so viele, wie ein Server Rollen haben kann. Bitte entferne erst eine.
levels-reward-line = Level { $level }: { $role }
levels-reward-more = … und { $more } weitere
levels-reward-stack = Mitglieder behalten die Rollen niedrigerer Level.
levels-reward-replace = Mitglieder haben nur die Rolle des höchsten Levels, das sie erreicht haben.
levels-reward-off = ⚠️ Zurzeit werden keine Rollen gegeben, weil Discord es immer wieder abgelehnt hat. `/levels reward mode` schaltet sie wieder ein.
levels-reward-no-permission = Mir fehlt die Berechtigung **Rollen verwalten**, ich kann keine Rollen geben. Bitte erteile sie mir und versuch es noch einmal.
levels-reward-above = Diese Rolle steht nicht unter meiner höchsten, ich kann sie nicht geben. Bitte schieb meine Rolle nach oben und versuch es noch einmal.
levels-reward-trouble = ⚠️ { $role }: { $why }
levels-reward-unknown = Diese Rolle gibt es nicht mehr.
levels-reward-everyone = Diese Rolle haben schon alle.
levels-reward-not-given = Diese Rolle gehört zu einer Integration oder zum Boosten. Nur Discord kann sie vergeben.
levels-demotion-never = Mitglieder behalten die Rollen von Leveln, die sie nicht mehr haben.
levels-demotion-undo = Mitglieder verlieren Rollen, die ich gab, wenn die XP-Änderung zurückgenommen wird, die ihr Level erhöht hat.
levels-demotion-always = Mitglieder verlieren Rollen, die ich gab, immer wenn ihr Level sinkt.
levels-rejoin-on = Mitglieder, die wiederkommen, bekommen die Rollen ihres Levels. Wo ich nicht erfahre, wer kommt, bekommen sie sie mit dem nächsten Level.
levels-rejoin-off = Mitglieder, die wiederkommen, bekommen erst mit dem nächsten Level Rollen.
levels-sync-dry = { $members ->
        [one] Ein Mitglied würde
       *[other] { $count } Mitglieder würden
    } geprüft. Es wurde nichts geändert.
levels-sync-started = Suche die Mitglieder …
levels-sync-progress = Mitglieder erledigt: { $done } von { $count }.
levels-sync-done = Erledigt: { $members ->
        [one] Ein Mitglied hat die Rollen seines Levels.
       *[other] { $count } Mitglieder haben die Rollen ihres Levels.
    }
levels-sync-waiting = { $members ->
        [one] Ein Mitglied wartet
       *[other] { $count } Mitglieder warten
    }, bis eine Rolle vergeben werden kann. Ich versuche es wieder, wenn sich die Rollen ändern, und jede Stunde.
levels-sync-goes-on = Mitglieder erledigt: { $done } von { $count }. Der Rest folgt; diese Nachricht kann ich nicht länger ändern.
levels-reset-sure = Das nimmt **allen Mitgliedern** dieses Servers alle XP. `/levels undo` kann es rückgängig machen. Bist du sicher?
levels-reset-yes = Ja, alle XP nehmen
levels-reset-no = Nein
levels-reset-kept = Nichts wurde geändert.
levels-reset-runs = Nehme alle XP …
levels-reset-done = Erledigt: { $members ->
        [one] Ein Mitglied hat
       *[other] { $count } Mitglieder haben
    } jetzt 0 XP.
levels-mass-so-far = { $members ->
        [one] Bisher ein Mitglied …
       *[other] Bisher { $count } Mitglieder …
    }
levels-undo-nothing = Es gibt keine solche Änderung, die sich rückgängig machen ließe.
levels-undo-runs = Mache es rückgängig …
levels-undo-done = Rückgängig gemacht für { $members ->
        [one] ein Mitglied
       *[other] { $count } Mitglieder
    }.
levels-undo-minutes = { $age ->
        [0] gerade eben
       *[other] vor { $count } min
    }
levels-undo-hours = { $age ->
       *[other] vor { $count } h
    }
levels-undo-days = { $age ->
        [one] vor einem Tag
       *[other] vor { $count } Tagen
    }
levels-undo-give = +{ $amount } XP
levels-undo-take = −{ $amount } XP
levels-undo-set = { $amount } XP
levels-undo-undo = rückgängig gemacht
levels-undo-reset = zurückgesetzt
levels-undo-members = { $members ->
        [one] ein Mitglied
       *[other] { $count } Mitglieder
    }
levels-undo-line = { $what } · { $whom } · von { $actor } · { $ago }
undo-line-of = { $what } · @{ $member } · von { $actor }
levels-show = { $seconds ->
        [0] Jede Nachricht bringt **{ $range }** ein.
        [one] Eine Nachricht bringt **{ $range }** ein, je Mitglied höchstens einmal pro Sekunde.
       *[other] Eine Nachricht bringt **{ $range }** ein, je Mitglied höchstens einmal in { $count } Sekunden.
    }
xp-range-setting = XP pro Nachricht
xp-cooldown-setting = Wartezeit
xp-curve-setting = XP pro Level
xp-role-mode-setting = Mehrere Multiplikatoren
xp-multiplier-setting = Multiplikator
xp-boost-setting = Boost
rewards-mode-setting = Rollen niedrigerer Level
rewards-demotion-setting = Entzug von Rollen
rewards-rejoin-setting = Rollen für Mitglieder, die zurückkehren
rewards-level-setting = Level der Rolle
cards-colour-setting = Farbe
levels-reward-level = Level { $level }
levels-cooldown-shown = { $seconds ->
    [one] eine Sekunde
   *[other] { $count } Sekunden
    }
levels-page-xp = XP
levels-page-rewards = Belohnungsrollen
levels-page-cards = Rangkarten
levels-show-curve = Level 1 ab { $one }, 10 ab { $ten }, 50 ab { $fifty }, 100 ab { $hundred } XP.
levels-show-off = ⚠️ Das habe ich selbst ausgeschaltet: { $reason }
levels-show-text = Der Text der Ankündigungen:
levels-show-ping = Ankündigungen benachrichtigen das Mitglied.
levels-show-no-ping = Ankündigungen benachrichtigen niemanden.
levels-show-departed-keep = Wer geht, bleibt auf der Rangliste.
levels-show-departed-hide = Wer geht, ist nicht auf der Rangliste, bis er zurück ist.
levels-show-departed-reset = Wer geht, verliert seine XP.
levels-show-multipliers = Faktoren: { $list } (bei mehreren Rollen: { $mode })
error-foreign = Nur wer den Befehl ausgeführt hat, kann das bedienen. Bitte führ ihn selbst aus.

settings-description = Einstellungen dieses Servers zeigen und ändern
settings-none = keiner
settings-panel = **Einstellungen dieses Servers**
    Protokollkanal: { $log }
    Begrüßungskanal: { $welcome }
    Sprache: { $language }
    Präfix geschriebener Befehle: `{ $prefix }`
    Wer ein Mitglied verwarnt hat: { $moderators }
settings-log-menu = Protokollkanal: was Moderatoren wissen sollten
settings-welcome-menu = Begrüßungskanal: wer kommt, wird dort begrüßt
settings-language-menu = Sprache
settings-language-auto = wie in Discord eingestellt
settings-language-en = Englisch
settings-language-de = Deutsch
settings-text-button = Begrüßungstext
settings-text-label = Text
settings-text-hint = {"{"}user{"}"}, {"{"}user.name{"}"} und {"{"}server{"}"} werden eingesetzt.
settings-prefix-button = Präfix
settings-moderators-shown = sieht das Mitglied
settings-moderators-hidden = sehen nur Moderatoren
settings-moderators-show = Mitgliedern zeigen, wer verwarnt
settings-moderators-hide = Verbergen, wer verwarnt
settings-prefix-label = Präfix
settings-prefix-hint = Wirkt, wenn der Betreiber den Bot Nachrichten lesen lässt.
settings-welcome-nowhere = Bitte wähle erst den Begrüßungskanal.
settings-section-menu = Weitere Einstellungen
settings-pick-menu = Einstellung zum Ändern auswählen
settings-back = Zurück
settings-on = An
settings-off = Aus
settings-reset = Zurücksetzen
settings-line = { $setting }: { $value }
settings-option-setting = einstellung
settings-option-setting-description = Die Einstellung, die gezeigt oder geändert wird
settings-option-value = wert
settings-option-value-description = Ihr neuer Wert
settings-option-reset = zurücksetzen
settings-option-reset-description = Auf den Standard zurücksetzen
settings-no-setting = Bitte wähle auch eine Einstellung.
settings-unknown = Es gibt keine Einstellung { $setting }: { $hint }
settings-bad-value = { $setting }: { $hint }
settings-value-and-reset = Bitte gib einen Wert an oder setze die Einstellung zurück, nicht beides.
settings-not-here = Diese Rolle oder diesen Kanal gibt es auf diesem Server nicht.
settings-fault-switch = möglich ist on oder off
settings-fault-limit = möglich ist eine ganze Zahl von 1 bis { $most }, oder off
settings-fault-text = möglich sind höchstens { $most } Zeichen
settings-fault-channel = möglich ist ein Kanal, als ID oder Erwähnung
settings-fault-roles = möglich ist eine Liste von Rollen, als IDs oder Erwähnungen
settings-fault-roles-many = möglich sind höchstens { $most } Rollen
log-settings = Logs
log-setting-channels = Log der Sperren und Slowmodes
log-setting-channels-hint = Sonst stehen sie im Log-Kanal.
log-setting-members = Log der Rollen und Nicknames
log-setting-members-hint = Sonst stehen sie im Log-Kanal.
log-setting-messages = Log der gelöschten Nachrichten
log-setting-messages-hint = Sonst stehen sie im Log-Kanal.
settings-fault-choice = möglich ist eines von { $words }
settings-fault-channel-or = möglich ist { $words } oder ein Kanal, als ID oder Erwähnung
settings-fault-mark = möglich sind bis zu { $most } Zeichen, ohne Leerzeichen, @, #, < und `
settings-page-title = Einstellungen
settings-page-sections = Einstellungen
settings-page-overview = Übersicht
settings-page-changed = { $n ->
        [0] nichts geändert
       *[other] geändert: { $count }
    }
settings-page-default = Standard
settings-page-faults = Nichts wurde gespeichert. Bitte berichtige die markierten Einstellungen.
settings-page-saved = Gespeichert.
settings-page-save = Speichern
settings-page-remove = Entfernen
settings-page-do = Anwenden
settings-page-choose = Bitte wählen
settings-page-show-preview = Vorschau erneuern
settings-page-preview = Vorschau
settings-page-placeholders = Eingesetzt werden:
settings-page-limit = 0 ist aus, möglich ist höchstens { $most }. Leer gilt der Standard: { $default }.
settings-page-channel-none = Keiner
settings-page-example-reason = Werbung
settings-page-example-until = in 3 Tagen
settings-page-history = Verlauf
settings-page-history-empty = Noch wurde keine Einstellung geändert.
settings-page-older = Ältere Änderungen
settings-page-setting = Einstellung
settings-page-before = Vorher
settings-page-after = Nachher
settings-page-by-member = { $name } auf Discord
settings-page-by-web = { $name } auf dieser Website
settings-page-by-operator = Der Betreiber des Bots
settings-page-by-bot = Der Bot
settings-page-undo = Rückgängig machen
settings-page-undo-of = Die Änderung von { $time } rückgängig machen
settings-page-undone = Die Änderung ist rückgängig gemacht.
settings-page-taken-back = Diese Änderung wurde rückgängig gemacht.
settings-page-undo-gone = Eine Rolle oder ein Kanal der früheren Einstellungen existiert nicht mehr; die Änderung bleibt deshalb.
settings-page-undo-impossible = Diese Einstellung kann ihren früheren Wert nicht wieder bekommen: { $setting }
settings-page-undo-changed = Diese Einstellungen wurden inzwischen wieder geändert; die Änderung bleibt deshalb: { $settings }
settings-page-imported = Die Einstellungen sind geändert.
settings-page-transfer = Export und Import
settings-page-export = Exportieren
settings-page-export-hint = Die Datei enthält, was auf diesem Server gewählt wurde, und die Namen von Rollen und Kanälen.
settings-page-download = Einstellungen herunterladen
settings-page-import = Importieren
settings-page-document = Inhalt einer exportierten Datei
settings-page-document-hint = Vor dem Speichern siehst du, was sich ändern würde.
settings-page-bad-file = Das ist keine Datei mit exportierten Einstellungen.
settings-page-copy = Von einem anderen Server übernehmen
settings-page-from = Server
settings-page-continue = Weiter
settings-page-confirm = Änderungen prüfen
settings-page-unused = Diese Einstellungen bleiben weg: { $settings }
settings-page-names = Rollen und Kanäle
settings-page-leave-out = Weglassen
settings-page-changes = Änderungen
settings-page-no-changes = Es würde sich nichts ändern.
settings-page-apply = Übernehmen
settings-page-update = Liste erneuern
settings-page-cancel = Abbrechen
server-settings = Server
server-setting-language = Sprache
server-setting-language-hint = Die Sprache öffentlicher Nachrichten.
server-setting-log-channel = Protokollkanal
server-setting-log-channel-hint = Hinweise für Moderatoren.
server-setting-welcome-channel = Begrüßungskanal
server-setting-welcome-channel-hint = Neue Mitglieder werden dort begrüßt.
server-setting-welcome-text = Begrüßungstext
server-setting-welcome-text-hint = Gilt, wenn es einen Begrüßungskanal gibt.
server-setting-prefix = Präfix geschriebener Befehle
server-setting-prefix-hint = Wirkt, wenn der Betreiber den Bot Nachrichten lesen lässt.
server-setting-moderators-shown = Mitgliedern zeigen, wer sie verwarnt hat
server-setting-moderators-shown-hint = Sonst sehen es nur Moderatoren.
announcements-settings = Aufstiege
announcements-setting-channel = Ankündigungen
announcements-setting-channel-hint = Wo ein neues Level angekündigt wird.
announcements-setting-text = Text der Ankündigungen
announcements-setting-text-hint = Was Mitglieder lesen, wenn sie ein Level erreichen.
announcements-setting-ping = Das Mitglied benachrichtigen
announcements-setting-ping-hint = Ankündigungen erwähnen Mitglieder; dies benachrichtigt sie auch.
announcements-setting-departed = XP ausgetretener Mitglieder
announcements-setting-departed-hint = Was damit und mit ihrem Platz auf der Rangliste geschieht.
announcements-place-off = Keine Ankündigungen
announcements-place-same-channel = Im Kanal der Nachricht
announcements-place-direct = Als Direktnachricht
announcements-departed-keep = Auf der Rangliste lassen
announcements-departed-hide = Ausblenden, bis sie zurückkommen
announcements-departed-reset = Ihre XP löschen
moderation-settings = Moderation
moderation-setting-protected-roles = Geschützte Rollen
moderation-setting-protected-roles-hint = Wer eine dieser Rollen hat, kann nicht mit Befehlen verwarnt oder bestraft werden.
moderation-setting-dm-warn = Direktnachricht bei Verwarnungen
moderation-setting-dm-warn-hint = Sofern der Moderator nichts anderes angibt.
warn-confirm = <@{ $user }> { $warnings ->
        [one] hat schon eine aktive Verwarnung.
       *[other] hat schon { $warnings } aktive Verwarnungen.
    } Diese hinzufügen?
warn-confirm-button = Trotzdem verwarnen
moderation-protected = Dieses Mitglied hat eine geschützte Rolle (`/settings`).
moderation-setting-require-reason = Begründung verlangen
moderation-setting-require-reason-hint = Banns, Kicks und Timeouts ohne Begründung werden abgelehnt.
moderation-setting-confirm-warnings = Nachfragen vor einer Verwarnung ab
moderation-setting-confirm-warnings-hint = Der Moderator wird gefragt, wenn das Mitglied so viele aktive Verwarnungen hat.
moderation-setting-bans-per-hour = Banns pro Stunde
moderation-setting-bans-per-hour-hint = So viele Banns darf ein Moderator in einer Stunde aussprechen. Weitere werden abgelehnt.
moderation-setting-kicks-per-hour = Kicks pro Stunde
moderation-setting-kicks-per-hour-hint = So viele Kicks darf ein Moderator in einer Stunde aussprechen. Weitere werden abgelehnt.
moderation-setting-rejoin-alert = Meldung bei Rückkehr ab
moderation-setting-rejoin-alert-hint = Mit so vielen Fällen oder im Timeout. Braucht discord.member_events des Betreibers.
moderation-log-rejoined = 👀 <@{ $user }> ist zurück, mit { $cases ->
        [one] einem Fall (**#{ $case }**)
       *[other] { $cases } Fällen (der neueste ist **#{ $case }**)
    }.
moderation-log-rejoined-timeout = 👀 <@{ $user }> ist zurück und bis { $until } im Timeout. { $cases ->
        [one] Es gibt einen Fall (**#{ $case }**).
       *[other] Es gibt { $cases } Fälle (der neueste ist **#{ $case }**).
    }
moderation-setting-dm-timeout = Direktnachricht bei Timeouts
moderation-setting-dm-timeout-hint = Sofern der Moderator nichts anderes angibt.
moderation-setting-dm-kick = Direktnachricht bei Kicks
moderation-setting-dm-kick-hint = Sofern der Moderator nichts anderes angibt.
moderation-setting-dm-ban = Direktnachricht bei Banns
moderation-setting-dm-ban-hint = Sofern der Moderator nichts anderes angibt.
moderation-setting-warn-message = Text bei Verwarnungen
moderation-setting-warn-message-hint = Mit {"{"}user{"}"}, {"{"}server{"}"}, {"{"}case{"}"}, {"{"}reason{"}"} und {"{"}until{"}"}. Leer für den üblichen Text.
moderation-setting-timeout-message = Text bei Timeouts
moderation-setting-timeout-message-hint = Mit {"{"}user{"}"}, {"{"}server{"}"}, {"{"}case{"}"}, {"{"}reason{"}"} und {"{"}until{"}"}. Leer für den üblichen Text.
moderation-setting-kick-message = Text bei Kicks
moderation-setting-kick-message-hint = Mit {"{"}user{"}"}, {"{"}server{"}"}, {"{"}case{"}"} und {"{"}reason{"}"}. Leer für den üblichen Text.
moderation-setting-ban-message = Text bei Banns
moderation-setting-ban-message-hint = Mit {"{"}user{"}"}, {"{"}server{"}"}, {"{"}case{"}"}, {"{"}reason{"}"} und {"{"}until{"}"}. Leer für den üblichen Text.
moderation-setting-appeal = Einspruch
moderation-setting-appeal-hint = Ein Text oder Link am Ende jeder dieser Nachrichten.
moderation-setting-log-warnings = Protokoll der Verwarnungen
moderation-setting-log-warnings-hint = Sonst stehen sie im Protokollkanal.
moderation-setting-log-timeouts = Protokoll der Timeouts
moderation-setting-log-timeouts-hint = Sonst stehen sie im Protokollkanal.
moderation-setting-log-kicks = Protokoll der Kicks
moderation-setting-log-kicks-hint = Sonst stehen sie im Protokollkanal.
moderation-setting-log-bans = Protokoll der Banns
moderation-setting-log-bans-hint = Sonst stehen sie im Protokollkanal.
moderation-setting-log-automod = Protokoll von AutoMod
moderation-setting-log-automod-hint = Nachrichten, die es blockiert hat. Der Bot braucht dafür das Recht, den Server zu verwalten.
automod-blocked = 🛡️ AutoMod hat eine Nachricht von <@{ $user }> in <#{ $channel }> blockiert.
moderation-setting-reports = Kanal für Meldungen
moderation-setting-reports-hint = Wohin /report geht. Ohne ihn können Mitglieder nichts melden.
moderation-setting-report-replies = Mitgliedern sagen, dass ihre Meldung zu ist
moderation-setting-report-replies-hint = Wer gemeldet hat, bekommt eine Direktnachricht, ohne das Ergebnis.
moderation-setting-appeals = Gebannte legen auf der Website Einspruch ein
moderation-setting-appeals-hint = Sie melden sich an und schreiben dem Team. Die Nachricht über einen Bann hat den Link.
moderation-setting-appeal-days = Tage zwischen zwei Einsprüchen eines Nutzers
moderation-setting-appeal-days-hint = Ab der Entscheidung gezählt; off für keine Wartezeit.
moderation-no-reason = Dieser Server verlangt eine Begründung. Bitte gib eine an.
moderation-limit = Du hast die Grenze dieses Servers für eine Stunde erreicht ({ $most }). Bitte frage einen anderen Moderator.
moderation-log-limit = ⚠️ <@{ $moderator }> hat die Grenze von { $most } in einer Stunde erreicht: { $action } von <@{ $user }> wurde abgelehnt.
undo-description = Eine Änderung rückgängig machen, die ein Befehl gemacht hat
undo-option-change = änderung
undo-option-change-description = Was rückgängig gemacht wird; wähle es aus der Liste
undo-line = { $what } · von { $actor }
undo-gone = Es gibt keine solche Änderung, die sich rückgängig machen ließe.
undo-changed = Das wurde seitdem wieder geändert und lässt sich nicht rückgängig machen.
undo-done = Rückgängig gemacht: { $what }.
undo-settings = Einstellungen geändert: { $settings }
undo-threshold-add = Schwelle hinzugefügt: { $threshold }
undo-threshold-remove = Schwelle entfernt: { $threshold }
scheduled-description = Zeigt, was auf diesem Server später geschieht, ändert es oder bricht es ab
scheduled-list-description = Zeigt, was später geschieht, das Nächste zuerst
scheduled-cancel-description = Bricht etwas ab, das später geschehen soll
scheduled-option-failed = fehlgeschlagen
scheduled-option-failed-description = Zeigt stattdessen, was fehlgeschlagen ist und warum
scheduled-option-timer = timer
scheduled-change-description = Lässt etwas zu einer anderen Zeit geschehen
scheduled-option-timer-description = Was geändert oder abgebrochen wird; wähle es aus der Liste
scheduled-option-duration = dauer
scheduled-option-duration-description = Wann es geschehen soll, von jetzt an gezählt, etwa 2h oder 7d
scheduled-title = **Geplant**
scheduled-title-failed = **Fehlgeschlagen**
scheduled-title-retried = **Wird wiederholt**
scheduled-effect-retried = { $what }, seit { $since }, nach { $attempts ->
        [one] einem gescheiterten Versuch
       *[other] { $attempts } gescheiterten Versuchen
    }. { $failure }
scheduled-effect-mod-action = Maßnahme aus Fall #{ $case } gegen <@{ $user }>
scheduled-effect-mod-lift = Ende der Strafe aus Fall #{ $case } von <@{ $user }>
scheduled-effect-punishment = Strafe für <@{ $user }> nach der Verwarnung in Fall #{ $case }
scheduled-effect-timeout-lift = Ende des Timeouts von <@{ $user }> nach der Verwarnung in Fall #{ $case }
scheduled-effect-channel-lock = Sperre von <#{ $channel }>
scheduled-effect-channel-unlock = Ende der Sperre von <#{ $channel }>
scheduled-effect-channel-slowmode = Slowmode in <#{ $channel }>
scheduled-effect-channel-slowmode-end = Ende des Slowmodes in <#{ $channel }>
scheduled-effect-role-change = Änderung einer Rolle von <@{ $user }>
scheduled-effect-nick-change = Nickname von <@{ $user }>
scheduled-effect-purge = Löschen von Nachrichten in <#{ $channel }>
scheduled-none = Auf diesem Server ist nichts geplant.
scheduled-none-failed = Nichts Geplantes ist fehlgeschlagen.
scheduled-line = { $due }: { $what }
scheduled-line-retried = { $due }: { $what }. Der letzte Versuch ist fehlgeschlagen und wird wiederholt: { $failure }
scheduled-line-failed = { $due }: { $what }. Fehlgeschlagen: { $failure }
scheduled-unknown = ein Timer der Art { $kind }
scheduled-choose = Bitte wähle einen Timer aus der Liste.
scheduled-fixed = Das kann nicht geändert oder abgebrochen werden.
scheduled-changed = Geändert: { $what }, jetzt { $due }.
scheduled-channel-lock-end-cancelled = Abgebrochen: <#{ $id }> bleibt gesperrt, bis `/unlock` die Sperre aufhebt.
scheduled-channel-slowmode-end-cancelled = Abgebrochen: Der Slowmode in <#{ $id }> bleibt, bis `/slowmode` ihn ändert.
scheduled-role-end-cancelled = Abgebrochen: Das Mitglied behält die Rolle, bis `/role remove` sie nimmt.
scheduled-gone = Das ist nicht mehr geplant: { $what }.
scheduled-log = 🗓️ <@{ $moderator }> hat abgebrochen: { $what }.
scheduled-log-changed = 🗓️ <@{ $moderator }> hat geändert: { $what }, jetzt { $due }.
scheduled-boost-removal = Löschen eines XP-Boosts, der vorbei ist
scheduled-channel-lock-end = Ende der Sperre von <#{ $id }>
scheduled-channel-slowmode-end = Ende des Slowmodes in <#{ $id }>
scheduled-role-end = { $role ->
        [none] Ende einer Rolle, die für einige Zeit gegeben wurde
       *[other] Ende der Rolle <@&{ $role }> von <@{ $user }>
    }
scheduled-massban-forget = Löschen der Angaben über einen Massenbann
scheduled-purge-forget = Löschen der Angaben über gelöschte Nachrichten
scheduled-tempban-end = { $user ->
        [none] Ende des befristeten Banns in Fall #{ $id }
       *[other] Ende des befristeten Banns von <@{ $user }> in Fall #{ $id }
    }
scheduled-timeout-renewal = { $user ->
        [none] Verlängerung des langen Timeouts in Fall #{ $id }
       *[other] Verlängerung des langen Timeouts von <@{ $user }> in Fall #{ $id }
    }
warn-description = Ein Mitglied verwarnen, als nummerierter Fall
warn-option-member = mitglied
warn-option-member-description = Das Mitglied; für jemanden, der gegangen ist, die ID
warn-option-reason = grund
warn-option-reason-description = Warum; das Mitglied liest es auch
warn-option-severity = schwere
warn-option-severity-description = Wie schlimm es war: gering (1 Punkt), mittel (2) oder schwer (3); ohne Angabe gering
warn-option-points = punkte
warn-option-points-description = Wie viel es zählt, 0 bis 100, wenn nicht so viel wie die Schwere vorgibt
warn-option-expires = ablauf
warn-option-expires-description = Wann es nicht mehr zählt: 7d, 12h, 2w 3d, nie; ohne Angabe 90d
warn-option-dm = nachricht
warn-option-dm-description = Ob das Mitglied eine Direktnachricht bekommt; ohne Angabe ja
warn-severity-low = gering
warn-severity-medium = mittel
warn-severity-high = schwer
warn-points = { $points ->
        [one] 1 Punkt
       *[other] { $points } Punkte
    }
warn-counting = Zurzeit { $warnings ->
        [one] zählt eine Verwarnung
       *[other] zählen { $warnings } Verwarnungen
    }, zusammen { $points }.
warn-expires = läuft { $at } ab
warn-expires-never = läuft nie ab
warn-done = ⚠️ Fall **#{ $case }**: <@{ $user }> ist verwarnt ({ $severity }, { $points }, { $expiry }).
    { $counting }
warn-crossed = ➡️ { $points } erreicht: **{ $action }**.
warn-crossed-until = ➡️ { $points } erreicht: **{ $action }** bis { $until }.
warn-message-closed = ✉️ Das Mitglied nimmt keine Direktnachrichten von mir an und weiß noch nichts davon.
warn-action-done = ✅ Ausgeführt.
warn-action-gone = ℹ️ Das Mitglied ist nicht mehr hier, es gab nichts zu tun.
warn-action-failed = ⛔ Nicht ausgeführt: { $why }
warn-crossed-hindered = ⛔ { $points } erreicht, aber nicht ausgeführt (**{ $action }**): { $why }
warn-direct = ⚠️ Du wurdest auf **{ $server }** verwarnt (Fall #{ $case }, { $severity }, { $points }, { $expiry }):
    { $reason }
warn-direct-by = Verwarnt hat dich <@{ $moderator }>.
warn-bad-expiry = **{ $given }** kann ich nicht als Zeit lesen. Schreib zum Beispiel `90min`, `1,5 Std`, `7d`, `2w 3d` oder `nie`: mindestens eine Sekunde, höchstens zehn Jahre.
warn-bad-reason = Ein Grund hat 1 bis 1.000 Zeichen.
warn-bad-points = Punkte sind eine Zahl von 0 bis 100.
warn-yourself = Du kannst dich nicht selbst verwarnen.
warn-bot = Mich kann man nicht verwarnen.
warn-owner = Wem der Server gehört, der kann nicht verwarnt werden.
warn-above = Du kannst nur Mitglieder verwarnen, deren höchste Rolle unter deiner steht.

warnings-description = Deine Verwarnungen oder die eines Mitglieds
warnings-option-member = mitglied
warnings-option-member-description = Wessen; ohne Angabe deine
warnings-none = <@{ $user }> hat keine Verwarnungen.
warnings-title = { $total ->
        [one] Eine Verwarnung
       *[other] { $total } Verwarnungen
    }
warnings-head = <@{ $user }> · { $counting }
warnings-entry = **#{ $case }** · { $severity } · { $points } · { $at } · { $expiry }
    { $reason }
warnings-entry-expired = **#{ $case }** · { $severity } · { $points } · { $at } · { $expired } abgelaufen
    { $reason }
warnings-entry-removed = ~~**#{ $case }** · { $severity } · { $points }~~ · { $at } · { $removed } zurückgenommen
    { $reason }
warnings-by = { $at } von <@{ $moderator }>
warnings-removed-reason = Zurückgenommen, weil: { $reason }
warnings-page = Seite { $page } von { $pages }
warnings-foreign = Diese Knöpfe sind für jemand anderen. Mit `/warnings` bekommst du deine eigene Liste.
warnings-gone = Diese Seite gibt es nicht mehr. Bitte benutze `/warnings` noch einmal.

case-description = Mit den Fällen dieses Servers arbeiten
case-view-description = Einen Fall mit seinen Notizen zeigen
case-list-description = Fälle auflisten
case-edit-description = Den Grund eines Falls ändern, seinen Moderator, oder wann seine Strafe endet
case-note-description = Eine Notiz zu einem Fall hinzufügen
case-evidence-description = Eine Datei als Beleg für einen Fall im Log-Kanal aufbewahren
case-hide-description = Einen Fall in Listen verbergen oder wieder zeigen
case-delete-description = Einen Fall mit seinen Notizen löschen
case-option-member = mitglied
case-option-member-description = Nur Fälle dieses Mitglieds
case-option-moderator = moderator
case-option-moderator-description = Nur Fälle dieses Moderators
case-option-kind = art
case-option-kind-description = Nur Fälle dieser Art
case-option-with-hidden = verborgene
case-option-with-hidden-description = Auch verborgene Fälle zeigen
case-option-hidden = verborgen
case-option-hidden-description = Ob Listen den Fall verbergen; ohne Angabe ja
case-option-reason = grund
case-option-reason-description = Der neue Grund
case-option-duration = dauer
case-option-duration-description = Wie lange es noch dauert, von jetzt an gezählt, etwa 7d; „nie“ für einen Bann ohne Ende
case-option-note = notiz
case-option-note-description = Der Text der Notiz
case-option-file = datei
case-option-file-description = Ein Bild, Video, Ton, Text oder PDF mit bis zu 8 MB
case-kind-unknown = unbekannte Art
case-entry = **#{ $case }** · { $kind } · { $user } · { $at } von <@{ $moderator }>
case-removed-at = { $at } zurückgenommen
case-hidden = verborgen
case-view-title = Fall #{ $case } · { $kind }
case-view-user = **Mitglied:** { $who }
case-view-moderator = **Moderator:** { $who }
case-view-created = **Angelegt:** { $at }
case-view-expires = **Läuft ab:** { $at }
case-view-ends = **Endet:** { $at }
case-view-ended = **Beendet:** { $at }
case-view-removed = **Zurückgenommen:** { $at }
case-view-hidden = **Verborgen:** { $at }
case-view-no-reason = Es wurde kein Grund angegeben.
case-view-notes = **{ $notes ->
        [one] Eine Notiz
       *[other] { $notes } Notizen
    }**
case-view-note = { $author } · { $at }: { $note }
case-view-retried = ⏳ Wird seit { $since } wiederholt, nach { $attempts ->
        [one] einem gescheiterten Versuch
       *[other] { $attempts } gescheiterten Versuchen
    }. { $why }
case-list-none = Solche Fälle gibt es nicht.
case-list-gone = Diese Seite gibt es nicht mehr. Bitte benutze den Befehl noch einmal.
case-list-page = Seite { $page }
case-list-title = Fälle
case-edited = ✏️ Der Grund von Fall **#{ $case }** ist geändert.
case-option-behalf = moderator
case-option-behalf-description = In wessen Namen es geschah; braucht „Server verwalten“
case-moderator-changed = 👤 Fall **#{ $case }** ist jetzt ein Fall von <@{ $behalf }>. Wer ihn angelegt hat, bleibt vermerkt.
case-behalf-powerless = <@{ $user }> fehlt das Recht **{ $permission }**, deshalb kann es kein Fall von ihnen sein.
case-log-moderator = 👤 <@{ $moderator }> hat **Fall #{ $case }** von <@{ $user }> an <@{ $behalf }> übertragen.
case-view-acted-by = **Angelegt von:** { $who }
case-note-expires = Links zu Dateien auf Discord gelten nur etwa einen Tag. `/case evidence` bewahrt eine Datei auf.
evidence-too-large = Dateien mit mehr als 8 MB werden nicht aufbewahrt.
evidence-type = Nur Bilder, Videos, Töne, Texte und PDF-Dateien werden aufbewahrt.
evidence-no-log = Dieser Server hat keinen Log-Kanal und damit keinen Platz für die Datei. `/settings` wählt einen.
evidence-taken = 📎 Die Datei wird bei Fall **#{ $case }** aufbewahrt. Der Fall hat danach eine Notiz.
evidence-message = 📎 Beleg für **Fall #{ $case }**, von <@{ $moderator }>
evidence-gone = 📎 Eine Datei, die <@{ $moderator }> als Beleg für **Fall #{ $case }** angegeben hat, konnte nicht aufbewahrt werden: Discord hat sie nicht mehr.
evidence-log-failed = ❗ Eine Datei, die <@{ $moderator }> als Beleg für **Fall #{ $case }** angegeben hat, konnte nicht aufbewahrt werden. { $why }
case-edit-nothing = Bitte gib einen neuen Grund an, eine neue Dauer oder einen Moderator.
case-away = Das Mitglied hat den Server verlassen. Sobald es zurück ist, geht es weiter.
case-end = ⏱️ Fall **#{ $case }** ({ $kind }, <@{ $user }>) endet jetzt { $until }.
case-end-never = ⏱️ Fall **#{ $case }** ({ $kind }, <@{ $user }>) endet nicht mehr von selbst.
case-ended = Zu Fall **#{ $case }** läuft kein Bann und kein Timeout, deshalb hat er kein Ende, das sich ändern lässt. Wann eine Verwarnung verfällt, ändert `/warning edit`.
case-needs-end = Ein Timeout endet immer von selbst. Bitte gib eine Dauer an.
case-noted = 📝 Deine Notiz steht jetzt bei Fall **#{ $case }**.
case-is-hidden = 🙈 Fall **#{ $case }** ist in Listen verborgen.
case-is-shown = 👁️ Fall **#{ $case }** steht wieder in Listen.
case-deleted = 🗑️ Fall **#{ $case }** von <@{ $user }> ist gelöscht.
case-kept = Der Fall bleibt.
case-delete-sure = Diesen Fall mit seinen Notizen löschen? Das lässt sich nicht rückgängig machen. Was auf Discord geschehen ist, bleibt.
case-delete-yes = Löschen
case-delete-no = Behalten
case-running = Die Strafe von Fall **#{ $case }** läuft noch, und ihr Ende braucht den Fall. Hebe sie vorher auf oder verbirg den Fall.
case-log-edit = ✏️ <@{ $moderator }> hat den Grund von **Fall #{ $case }** von <@{ $user }> geändert:
    { $text }
case-log-end = { $end } Geändert von <@{ $moderator }>.
case-log-end-failed = ❗ **Fall #{ $case }** ({ $kind }, <@{ $user }>): Das Ende ließ sich nicht ändern und bleibt, wie es war: { $why }
case-log-note = 📝 <@{ $moderator }> hat eine Notiz zu **Fall #{ $case }** von <@{ $user }> hinzugefügt:
    { $text }
case-log-deleted = 🗑️ Fall **#{ $case }** wurde gelöscht.
case-log-now-ended = 🔓 Beendet { $at }.
case-log-now-gone = 🔓 Ohne Befehl aufgehoben; bemerkt { $at }.
case-log-now-kept = ❗ Noch in Kraft: { $why }
case-log-now-removed = 🗑️ Entfernt { $at } von <@{ $moderator }>
case-log-now-notes = 📝 { $notes ->
        [one] Eine Notiz
       *[other] { $notes } Notizen
    }
case-log-now-hidden = 🙈 In Listen verborgen
case-log-hide = 🙈 <@{ $moderator }> hat **Fall #{ $case }** von <@{ $user }> in Listen verborgen.
case-log-show = 👁️ <@{ $moderator }> zeigt **Fall #{ $case }** von <@{ $user }> wieder in Listen.
case-log-delete = 🗑️ <@{ $moderator }> hat **Fall #{ $case }** von <@{ $user }> gelöscht.

history-description = Alle Fälle eines Mitglieds zeigen
history-option-member = mitglied
history-option-member-description = Das Mitglied; eine ID, wenn es nicht mehr hier ist

modlog-description = Die neuesten Fälle dieses Servers zeigen

warning-description = Verwarnungen ändern und festlegen, wozu ihre Punkte führen
warning-remove-description = Eine Verwarnung zurücknehmen; sie bleibt als zurückgenommen sichtbar
warning-edit-description = Eine Verwarnung ändern; wie sie war, bleibt aufgehoben
warning-threshold-description = Was geschieht, wenn ein Mitglied so viele Punkte erreicht
warning-threshold-add-description = Eine Schwelle hinzufügen oder die mit diesen Punkten ändern
warning-threshold-remove-description = Eine Schwelle entfernen
warning-threshold-list-description = Die Schwellen zeigen
warning-option-case = fall
warning-option-case-description = Die Nummer des Falls
warning-option-why = grund
warning-option-why-description = Warum sie zurückgenommen wird
warning-option-reason = grund
warning-option-reason-description = Warum das Mitglied verwarnt wurde
warning-option-severity = schwere
warning-option-severity-description = Wie schlimm es war; die Punkte folgen daraus, wenn du sie nicht angibst
warning-option-points = punkte
warning-option-points-description = Wie viel es zählt, 0 bis 100
warning-option-expires = ablauf
warning-option-expires-description = Wann es nicht mehr zählt, von jetzt an: 7d, 12h, nie
warning-option-threshold = punkte
warning-option-threshold-description = Die Punkte, die ein Mitglied erreicht
warning-option-action = maßnahme
warning-option-action-description = Was mit dem Mitglied geschieht
warning-option-duration = dauer
warning-option-duration-description = Wie lange ein Timeout dauert: 30m, 12h, 7d; höchstens 28 Tage
warning-option-window = zeitraum
warning-option-window-description = Nur Verwarnungen der letzten so vielen Tage zählen; ohne Angabe alle, die nicht abgelaufen sind
warning-action-timeout = Timeout
warning-action-kick = Rauswurf
warning-action-ban = Bann
warning-removed = 🗑️ Fall **#{ $case }** von <@{ $user }> ist zurückgenommen.
warning-edited-points = Schwellen gelten, wenn eine Verwarnung ausgesprochen wird, nicht wenn sie geändert wird.
warning-timeout-runs = Ihr Timeout läuft bis { $until }.
warning-lift = Timeout aufheben
warning-lift-over = Dieser Timeout ist schon vorbei.
warning-lifted = 🔊 Der Timeout von <@{ $user }> aus Fall **#{ $case }** wird aufgehoben.
warning-log-lifted = 🔊 **Fall #{ $case }** · <@{ $moderator }> hat den Timeout von <@{ $user }> aufgehoben.
warning-audit-lift = Verwarnung #{ $case } wurde zurückgenommen
warning-edited = ✏️ Fall **#{ $case }** von <@{ $user }> ist jetzt: { $severity }, { $points }, { $expiry }.
    { $reason }
warning-nothing = Sag, was sich ändern soll: Grund, Schwere, Punkte oder Ablauf.
warning-unknown = Einen Fall **#{ $case }** gibt es auf diesem Server nicht.
warning-gone = Fall **#{ $case }** wurde schon zurückgenommen.
warning-own = Einen Fall, der dich betrifft, kannst du nicht ändern.
warning-threshold-line = **{ $points }**: { $action }
warning-threshold-span = { $action } für { $span }
warning-threshold-window = { $threshold } (nur Verwarnungen { $days ->
        [one] des letzten Tages
       *[other] der letzten { $days } Tage
    })
warning-threshold-added = ✅ Hinzugefügt: { $threshold }
warning-threshold-replaced = ✅ Geändert: { $threshold }
warning-threshold-powerless = Mir fehlt die Berechtigung **{ $permission }**; bis du sie mir gibst, passiert nichts.
warning-threshold-removed = 🗑️ Entfernt: { $threshold }
warning-page-thresholds = Schwellen für Verwarnungen
warning-threshold-none = Es gibt noch keine Schwellen. Mit `/warning threshold add` legst du eine an.
warning-threshold-unknown = Eine Schwelle bei { $points } gibt es nicht.
warning-threshold-many = Ein Server kann 20 Schwellen haben. Entferne zuerst eine.
warning-threshold-needs-duration = Ein Timeout braucht eine Dauer, zum Beispiel `12h`.
warning-threshold-no-duration = Nur ein Timeout hat eine Dauer.
warning-threshold-bad-duration = **{ $given }** kann ein Timeout nicht dauern. Schreib zum Beispiel `30m`, `1,5 Std` oder `7d`: mindestens eine Minute, höchstens 28 Tage.
warning-log-warned = ⚠️ **Fall #{ $case }** · <@{ $user }> wurde von <@{ $moderator }> verwarnt ({ $severity }, { $points }, { $expiry }):
    { $reason }
    { $counting }
warning-log-state = { $severity }, { $points }, { $expiry }
    { $reason }
warning-log-edited = ✏️ **Fall #{ $case }** von <@{ $user }> wurde von <@{ $moderator }> geändert.
    Vorher: { $before }
    Jetzt: { $after }
warning-log-removed = 🗑️ **Fall #{ $case }** von <@{ $user }> ({ $points }) wurde von <@{ $moderator }> zurückgenommen:
    { $reason }
warning-log-no-reason = > ohne Angabe eines Grundes
warning-log-threshold-added = ⚙️ <@{ $moderator }> hat eine Schwelle festgelegt: { $threshold }
warning-log-threshold-removed = ⚙️ <@{ $moderator }> hat eine Schwelle entfernt: { $threshold }
warning-log-failed = ❗ **Fall #{ $case }**: Was bei <@{ $user }> fällig war ({ $action }), ging nicht: { $why }
warning-obstacle-permission = Mir fehlt die Berechtigung dafür. Bitte erlaube mir, Mitglieder in den Timeout zu versetzen, zu kicken oder zu bannen.
warning-obstacle-owner = Der Server gehört diesem Mitglied.
warning-obstacle-above = Die höchste Rolle des Mitglieds steht nicht unter meiner. Bitte schieb meine Rolle darüber.
warning-obstacle-administrator = Administratoren können nicht in den Timeout versetzt werden.
warning-obstacle-refused = Discord lässt es mich nicht tun.
warning-obstacle-late = Discord war zu lange nicht zu erreichen.
warning-obstacle-other = Discord hat es nicht angenommen.
warning-audit-log = Verwarnung, Fall #{ $case }: { $points } erreicht

levels-departed-description = Was mit den XP geschieht, wenn ein Mitglied geht oder gebannt wird
levels-option-fate-description = Was mit ihnen geschieht
levels-option-fate-keep = sie bleiben in der Rangliste
levels-option-fate-hide = verborgen, bis sie zurück sind
levels-option-fate-reset = sie verfallen
levels-departed-keep = Mitglieder, die gehen, bleiben ab jetzt in der Rangliste.
levels-departed-hide = Mitglieder, die gehen, sind ab jetzt in der Rangliste verborgen, bis sie zurück sind.
levels-departed-reset = Mitglieder, die gehen, verlieren ab jetzt ihre XP.

announce-default = Glückwunsch, {"{"}user{"}"}: Du hast Level {"{"}level{"}"} erreicht!
welcome-default = Willkommen auf {"{"}server{"}"}, {"{"}user{"}"}!

notice-announcements-off = ⚠️ Ich kündige keine Level mehr an, weil es immer wieder fehlschlug: { $reason }. Lass mich den Kanal sehen und dort schreiben, und schalte die Ankündigungen dann wieder ein (`/levels announce`).
notice-channel-skipped = ⚠️ Ich kündige Level in { $channel } nicht mehr an, weil es wiederholt misslungen ist: { $reason }. Lass mich den Kanal sehen und dort schreiben; ich versuche es von Zeit zu Zeit wieder.
notice-rewards-off = ⚠️ Ich vergebe keine Rollen mehr, weil es immer wieder fehlschlug: { $reason }. Ich brauche das Recht, Rollen zu verwalten, und meine höchste Rolle muss über jeder Belohnung stehen; schalte die Belohnungen dann wieder ein (`/levels reward mode`).
notice-reward-blocked = ⚠️ Ich kann die Belohnung { $role } nicht geben: { $reason }. Andere gebe ich wie bisher. Ich versuche es wieder, wenn sich die Rollen ändern, und jede Stunde.
notice-reward-gone = ℹ️ Die Rolle { $role }, die Belohnung für Level { $level }, gibt es nicht mehr. Ich habe sie von der Liste genommen.

case-kind-warning = Verwarnung
case-kind-ban = Bann
case-kind-tempban = befristeter Bann
case-kind-softban = Softban
case-kind-unban = Entbannung
case-kind-kick = Rauswurf
case-kind-timeout = Timeout
case-kind-untimeout = Ende des Timeouts
case-kind-note = Notiz
ban-description = Jemanden bannen, auch wenn er nicht auf dem Server ist
tempban-description = Jemanden für eine Zeit bannen
softban-description = Ein Mitglied mit seinen letzten Nachrichten entfernen; es kann wieder beitreten
unban-description = Einen Bann aufheben
kick-description = Ein Mitglied entfernen; es kann wieder beitreten
timeout-description = Einem Mitglied ein Timeout geben, auch länger als 28 Tage
untimeout-description = Ein Timeout aufheben
action-option-user = nutzer
action-option-user-description = Wer gebannt wird; für jemanden, der nicht auf dem Server ist, die ID
softban-option-user = nutzer
softban-option-user-description = Das Mitglied, das entfernt wird
unban-option-user = nutzer
unban-option-user-description = Wessen Bann aufgehoben wird; nimm die ID
kick-option-member = mitglied
kick-option-member-description = Das Mitglied, das entfernt wird
timeout-option-member = mitglied
timeout-option-member-description = Das Mitglied, das ein Timeout bekommt
untimeout-option-member = mitglied
untimeout-option-member-description = Das Mitglied, dessen Timeout aufgehoben wird
tempban-option-duration = dauer
tempban-option-duration-description = Wie lange der Bann dauert: 12h, 7d, 2w 3d, 6 Monate
timeout-option-duration = dauer
timeout-option-duration-description = Wie lange das Timeout dauert: 10m, 12h, 7d, 2 Monate
action-option-reason = grund
action-option-reason-description = Der Grund; das Mitglied und das Audit-Log von Discord sehen ihn auch
action-option-dm = nachricht
action-option-dm-description = Ob das Mitglied eine Direktnachricht bekommt; ohne Angabe ja
action-option-evidence = beweis
action-option-evidence-description = Eine Datei, die im Log-Kanal beim Fall aufbewahrt wird
ban-option-delete = nachrichten_löschen
ban-option-delete-description = Welche Nachrichten gelöscht werden; ohne Angabe keine
softban-option-delete = nachrichten_löschen
softban-option-delete-description = Welche Nachrichten gelöscht werden; ohne Angabe die des letzten Tages
ban-delete-none = Keine
ban-delete-1h = Letzte Stunde
ban-delete-6h = Letzte 6 Stunden
ban-delete-12h = Letzte 12 Stunden
ban-delete-1d = Letzte 24 Stunden
ban-delete-3d = Letzte 3 Tage
ban-delete-7d = Letzte 7 Tage
ban-menu = Bannen
timeout-menu = Timeout
warn-menu = Verwarnen
history-menu = Verlauf
form-reason = Grund
form-reason-hint = Das Mitglied und Discords Audit-Log sehen ihn auch.
form-duration = Dauer
form-duration-timeout-hint = Zum Beispiel 30m, 12h oder 7d.
form-duration-ban-hint = Zum Beispiel 12h oder 7d; leer für einen Bann ohne Ende.
action-done = 🛡️ Fall **#{ $case }**: **{ $kind }** für <@{ $user }>.
action-done-until = 🛡️ Fall **#{ $case }**: **{ $kind }** für <@{ $user }> bis { $until }.
action-pending = ⏳ Es ist unterwegs zu Discord.
action-retried = ⏳ Discord nimmt es zurzeit nicht an. Ich versuche es weiter.
action-replaced = ℹ️ Ein neuerer Fall hat diesen abgelöst.
action-not-banned = Diese Person ist nicht gebannt.
action-not-in-timeout = Dieses Mitglied hat kein Timeout.
action-no-member = Diese Person ist nicht auf dem Server.
action-yourself = Das kannst du nicht mit dir selbst machen.
action-bot = Das kannst du nicht mit mir machen.
action-owner = Das geht nicht bei der Person, der der Server gehört.
action-above = Das geht nur bei Mitgliedern, deren höchste Rolle unter deiner steht.
action-powerless = Dafür brauche ich die Berechtigung **{ $permission }**.
action-bad-duration = **{ $given }** ist keine gültige Dauer. Beispiele: `30m`, `1,5h`, `7d` oder `2w 3d`. Möglich sind eine Minute bis zehn Jahre.
action-direct-ban = 🔨 Du wurdest auf **{ $server }** gebannt (Fall #{ $case }):
action-direct-tempban = 🔨 Du wurdest auf **{ $server }** bis { $until } gebannt (Fall #{ $case }):
action-direct-softban = 👢 Du wurdest mit deinen letzten Nachrichten von **{ $server }** entfernt. Du kannst wieder beitreten (Fall #{ $case }):
action-direct-kick = 👢 Du wurdest von **{ $server }** entfernt (Fall #{ $case }):
action-direct-timeout = 🔇 Du hast auf **{ $server }** ein Timeout bis { $until } (Fall #{ $case }):
action-direct-other = 🛡️ Auf **{ $server }** gibt es einen Fall über dich (#{ $case }):
action-direct-end = 🕓 **{ $server }**: Neues Ende für { $kind } (Fall #{ $case }): { $until }.
action-direct-end-never = 🕓 **{ $server }**: { $kind } endet nicht mehr von selbst (Fall #{ $case }).
action-direct-by = Moderiert hat <@{ $moderator }>.
action-direct-appeal = Hier kannst du Einspruch einlegen: { $url }
action-log = { $summary } Moderiert: <@{ $moderator }>
    { $reason }
action-log-ended = 🔓 **Fall #{ $case }**: Zeit abgelaufen für <@{ $user }> ({ $kind }).
action-log-not-lifted = ❗ **Fall #{ $case }**: Die Zeit ist abgelaufen für <@{ $user }> ({ $kind }), aber die Aufhebung ging nicht: { $why }
action-audit = Fall #{ $case } von { $moderator }: { $reason }
action-audit-no-reason = Fall #{ $case } von { $moderator }
action-audit-ended = Fall #{ $case }: Zeit abgelaufen ({ $kind })
action-audit-softban = Fall #{ $case }: Der Bann eines Softbans wird sofort aufgehoben

lock-description = Einen Kanal oder eine Kategorie für Mitglieder schließen
lock-option-channel = kanal
lock-option-channel-description = Der Kanal oder die Kategorie; sonst dieser Kanal
lock-option-duration = dauer
lock-option-duration-description = Wann er sich wieder öffnet, zum Beispiel 30m oder 2h; sonst erst mit /unlock
lock-runs = <#{ $channel }> wird gesperrt…
lock-done = 🔒 <#{ $channel }> ist gesperrt, { $until }. `/unlock` öffnet ihn.
lock-already = <#{ $channel }> ist schon gesperrt, { $until }. Mit `/unlock` lässt sich das ändern.
lock-log-locked = 🔒 <#{ $channel }> wurde von <@{ $moderator }> gesperrt, { $until }.
    { $reason }
lock-log-unlocked = 🔓 <#{ $channel }> wurde von <@{ $moderator }> entsperrt.
    { $reason }
lock-log-over = 🔓 <#{ $channel }> ist wieder offen: Die Zeit der Sperre ist um.
lock-log-not-locked = ⚠️ <#{ $channel }> konnte nicht gesperrt werden. { $why }
lock-log-failed = ⚠️ <#{ $channel }> konnte nicht entsperrt werden. { $why } `/unlock` versucht es noch einmal.
lock-audit-over = Die Zeit der Sperre ist um

unlock-description = Einen Kanal öffnen, den der Bot gesperrt hat
unlock-option-channel = kanal
unlock-option-channel-description = Der Kanal oder die Kategorie; sonst dieser Kanal
unlock-runs = <#{ $channel }> wird entsperrt…
unlock-done = 🔓 <#{ $channel }> ist wieder offen. Berechtigungen, die inzwischen geändert wurden, bleiben, wie sie sind.{ $until }
unlock-not-locked = Ich habe <#{ $channel }> nicht gesperrt und weiß daher nicht, wie seine Berechtigungen sein sollen.

slowmode-description = Begrenzen, wie oft Mitglieder in einem Kanal schreiben können
slowmode-option-duration = dauer
slowmode-option-duration-description = Zeit zwischen zwei Nachrichten eines Mitglieds, bis zu 6h; 0 für keine
slowmode-option-for = für
slowmode-option-for-description = Wie lange das gilt, zum Beispiel 1h; danach gilt wieder der Slowmode von vorher
slowmode-option-channel = kanal
slowmode-option-channel-description = Der Kanal oder Thread; sonst dieser Kanal
slowmode-off = aus
slowmode-runs = Der Slowmode von <#{ $channel }> wird geändert…
slowmode-done = ⏱️ Der Slowmode von <#{ $channel }> ist jetzt: { $until }.
slowmode-no-channel = Dieser Kanal hat keinen Slowmode.
slowmode-log = ⏱️ Der Slowmode von <#{ $channel }> wurde von <@{ $moderator }> geändert: { $slowmode }, { $until }.
    { $reason }
slowmode-log-failed = ⚠️ Der Slowmode von <#{ $channel }> konnte nicht geändert werden. { $why }
slowmode-log-stays = ⚠️ Der Slowmode von <#{ $channel }> konnte nicht zurückgestellt werden. { $why }
slowmode-audit-over = Die Zeit des Slowmodes ist um

channels-option-reason = grund
channels-option-reason-description = Warum; steht im Log-Kanal und in Discords Audit-Log
channels-open-end = bis jemand es ändert
channels-until = bis { $until }
channels-no-reason = Ohne Begründung.
channels-waiting = Discord oder die Datenbank ist gerade langsam. <#{ $channel }> wird geändert, sobald es geht; der Log-Kanal zeigt es an.
channels-failed = <#{ $channel }> wurde nicht geändert. { $why }

error-done-before = Das ist schon erledigt.
error-long-reason = Der Grund ist zu lang. Bitte schreib höchstens 400 Zeichen.
error-bad-duration = **{ $given }** kann ich nicht als Dauer lesen. Schreib zum Beispiel `30m`, `2h` oder `1d12h`.
error-duration-bounds = Die Dauer muss zwischen { $min } und { $max } liegen.
permission-view-channel = Kanal ansehen
permission-send-messages = Nachrichten senden
permission-send-in-threads = Nachrichten in Threads senden
permission-create-public-threads = Öffentliche Threads erstellen
permission-create-private-threads = Private Threads erstellen
permission-read-history = Nachrichtenverlauf anzeigen
permission-connect = Verbinden
trouble-asker-lacks = Dem Moderator fehlt die Berechtigung **{ $permission }**.
trouble-asker-below = Die höchste Rolle des Moderators steht nicht darüber.
trouble-bot-lacks = Mir fehlt dort die Berechtigung **{ $permission }**. Bitte gib sie meiner Rolle.
trouble-bot-below = Meine höchste Rolle steht nicht darüber. Bitte schieb meine Rolle nach oben.
trouble-owner = Discord lässt mich den Eigentümer des Servers nicht ändern.
trouble-managed = Diese Rolle gehört zu einer Integration, und nur die vergibt sie.
trouble-no-role = Diese Rolle gibt es nicht mehr.
trouble-no-channel = Diesen Kanal gibt es nicht, oder ich sehe ihn nicht.
trouble-thread = Nur Kanäle und Kategorien lassen sich sperren. Für einen Thread gilt, was für seinen Kanal gilt.
trouble-no-member = Dieser Nutzer ist kein Mitglied des Servers.
trouble-closed = Mitglieder können dort ohnehin nicht schreiben.
trouble-refused = Discord hat es abgelehnt.
trouble-gone = Discord kennt es nicht mehr.
trouble-unavailable = Discord ist gerade nicht erreichbar.
trouble-late = Discord war zu lange nicht zu erreichen.
trouble-other = Discord hat es nicht angenommen.

role-description = Einem Mitglied eine Rolle geben oder nehmen
role-add-description = Einem Mitglied eine Rolle geben
role-remove-description = Einem Mitglied eine Rolle nehmen
role-temp-description = Einem Mitglied eine Rolle auf Zeit geben
role-option-member = mitglied
role-option-member-description = Das Mitglied
role-option-role = rolle
role-option-role-description = Die Rolle; sie muss unter deiner und unter meiner stehen
role-option-duration = dauer
role-option-duration-description = Wie lange, zum Beispiel 2h oder 7d; eine neue Dauer ersetzt die frühere
role-runs = Die Rollen von <@{ $user }> werden geändert…
role-given = <@{ $user }> hat jetzt die Rolle <@&{ $role }>.
role-lent = <@{ $user }> hat die Rolle <@&{ $role }> bis { $until }.
role-taken = <@{ $user }> hat die Rolle <@&{ $role }> nicht mehr.
role-failed = Die Rollen von <@{ $user }> wurden nicht geändert: <@&{ $role }>. { $why }
role-above = Deine höchste Rolle muss über <@&{ $role }> stehen.
role-audit-over = Die Zeit der Rolle ist um
role-log-given = <@{ $moderator }> hat <@{ $user }> die Rolle <@&{ $role }> gegeben.
    { $reason }
role-log-lent = <@{ $moderator }> hat <@{ $user }> die Rolle <@&{ $role }> bis { $until } gegeben.
    { $reason }
role-log-taken = <@{ $moderator }> hat <@{ $user }> die Rolle <@&{ $role }> genommen.
    { $reason }
role-log-not-given = ⚠️ <@{ $user }> hat die Rolle <@&{ $role }> nicht bekommen. { $why }
role-log-not-taken = ⚠️ <@{ $user }> hat die Rolle <@&{ $role }> noch. { $why }

nick-description = Den Nicknamen eines Mitglieds ändern oder entfernen
nick-option-member = mitglied
nick-option-member-description = Das Mitglied
nick-option-nickname = nickname
nick-option-nickname-description = Der neue Nickname; ohne ihn wird der jetzige entfernt
nick-bot = Meinen eigenen Nicknamen kann ich so nicht ändern. In der Mitgliederliste des Servers geht es.
nick-runs = Der Nickname von <@{ $user }> wird geändert…
nick-done = Der Nickname von <@{ $user }> ist geändert.
nick-failed = Der Nickname von <@{ $user }> wurde nicht geändert. { $why }
nick-log-changed = <@{ $moderator }> hat den Nicknamen von <@{ $user }> zu **{ $name }** geändert.
    { $reason }
nick-log-removed = <@{ $moderator }> hat den Nicknamen von <@{ $user }> entfernt.
    { $reason }
nick-log-failed = ⚠️ Der Nickname von <@{ $user }> wurde nicht geändert. { $why }

roles-option-reason = grund
roles-option-reason-description = Warum; steht im Log-Kanal und in Discords Audit-Log
roles-no-reason = Ohne Begründung.
roles-waiting = Discord oder die Datenbank ist gerade langsam. <@{ $user }> wird geändert, sobald es geht; der Log-Kanal zeigt, wenn es nicht klappt.
trouble-everyone = Diese Rolle haben alle.

purge-description = Nachrichten dieses Kanals löschen
purge-option-count = anzahl
purge-option-count-description = Wie viele Nachrichten höchstens, die neuesten zuerst
purge-option-user = nutzer
purge-option-user-description = Nur Nachrichten dieses Nutzers
purge-option-bots = bots
purge-option-bots-description = Nur Nachrichten von Bots und Webhooks
purge-option-links = links
purge-option-links-description = Nur Nachrichten mit Links
purge-option-invites = einladungen
purge-option-invites-description = Nur Nachrichten mit Einladungen zu Servern
purge-option-attachments = dateien
purge-option-attachments-description = Nur Nachrichten mit Dateien
purge-option-embeds = embeds
purge-option-embeds-description = Nur Nachrichten mit Embeds
purge-option-contains = text
purge-option-contains-description = Nur Nachrichten mit diesem Text
purge-option-regex = regex
purge-option-regex-description = Nur Nachrichten, auf die dieser reguläre Ausdruck passt
purge-option-before = vor
purge-option-before-description = Nur Nachrichten vor dieser: ihre ID oder ihr Link
purge-option-after = nach
purge-option-after-description = Nur Nachrichten nach dieser: ihre ID oder ihr Link
purge-option-keep-pinned = angepinnte_behalten
purge-option-keep-pinned-description = Ob angepinnte Nachrichten bleiben; sonst ja
purge-option-reason = grund
purge-option-reason-description = Warum; steht in Discords Audit-Log
purge-menu = Ab hier löschen
purge-nothing = Keine der letzten 1.000 Nachrichten passt und lässt sich löschen.
purge-sure = { $messages ->
        [one] Eine Nachricht passt.
       *[other] { $count } Nachrichten passen.
    } Löschen? Das lässt sich nicht rückgängig machen.
purge-yes = Löschen
purge-no = Abbrechen
purge-kept = Es wurde nichts gelöscht.
purge-confirmed = Die Nachrichten werden gelöscht…
purge-runs = { $messages ->
        [one] Eine Nachricht wird gelöscht…
       *[other] { $count } Nachrichten werden gelöscht…
    }
purge-so-far = Bisher { $done } von { $all } gelöscht…
purge-done = { $messages ->
        [one] Eine Nachricht wurde gelöscht.
       *[other] { $count } Nachrichten wurden gelöscht.
    }
purge-failed = { $messages ->
        [one] Eine Nachricht wurde gelöscht, dann ging es nicht weiter.
       *[other] { $count } Nachrichten wurden gelöscht, dann ging es nicht weiter.
    } { $why }
purge-too-old = { $messages ->
        [one] Eine Nachricht wurde übersprungen, weil sie älter als 14 Tage ist.
       *[other] { $count } Nachrichten wurden übersprungen, weil sie älter als 14 Tage sind.
    }
purge-waiting = Es ist noch nicht fertig und geht weiter. Der Log-Kanal zeigt, wann es so weit ist.
purge-no-content = Filter nach Inhalt brauchen den Message Content Intent, den der Betreiber des Bots nicht eingeschaltet hat. Ohne ihn gehen `user`, `bots`, `before` und `after`.
purge-bad-regex = Das ist kein regulärer Ausdruck, den ich benutzen kann, oder er ist zu groß.
purge-bad-message = Bitte gib die ID einer Nachricht an, oder ihren Link.
purge-log = <@{ $moderator }> hat { $messages ->
        [one] eine Nachricht
       *[other] { $count } Nachrichten
    } in <#{ $channel }> gelöscht.
purge-log-failed = ⚠️ Das Löschen von Nachrichten in <#{ $channel }> ging nicht weiter. { $why }

by-hand-ban = 🔨 **Fall #{ $case }** · <@{ $user }> wurde von <@{ $moderator }> ohne Befehl gebannt:
    { $reason }
by-hand-tempban = 🔨 **Fall #{ $case }** · <@{ $user }> wurde von <@{ $moderator }> bis { $until } gebannt, ohne Befehl:
    { $reason }
by-hand-unban = 🔓 **Fall #{ $case }** · <@{ $moderator }> hat den Bann von <@{ $user }> ohne Befehl aufgehoben:
    { $reason }
by-hand-kick = 👢 **Fall #{ $case }** · <@{ $user }> wurde von <@{ $moderator }> ohne Befehl hinausgeworfen:
    { $reason }
by-hand-timeout = 🔇 **Fall #{ $case }** · <@{ $user }> ist bis { $until } im Timeout, durch <@{ $moderator }> ohne Befehl:
    { $reason }
by-hand-untimeout = 🔊 **Fall #{ $case }** · <@{ $moderator }> hat den Timeout von <@{ $user }> ohne Befehl aufgehoben:
    { $reason }

statistics-settings = Statistik
statistics-setting-enabled = Nachrichten, Befehle und Mitglieder zählen
statistics-setting-enabled-hint = Nach Kanal und Stunde, und die XP der Mitglieder nach Woche, für die Website. Normalerweise aus.
statistics-setting-days = Tage, für die gezählt bleibt
statistics-setting-days-hint = Nach so vielen Tagen werden die Zahlen gelöscht. Aus behält sie.

web-skip = Zum Inhalt springen
web-navigation = Website
web-server-navigation = Server
web-footer = Eventide zählt jede Nachricht genau einmal.
web-home = Zur Startseite
web-home-title = Eventide
web-home-text = Die Website dieses Bots: Ranglisten, die Server veröffentlicht haben, und für alle, die einen Server leiten, dessen Seiten.
web-servers = Server
web-servers-none = Es gibt keinen Server mit diesem Bot, in dem du etwas ändern kannst.
web-servers-id = Die ID eines Servers, falls er nicht in der Liste steht
web-servers-open = Öffnen
web-sign-in = Mit Discord anmelden
web-sign-in-title = Anmeldung
web-sign-in-stale = Diese Anmeldung ist abgelaufen oder gehört zu einem anderen Browser. Bitte beginne noch einmal.
web-sign-in-refused = Du bist nicht angemeldet, weil du es auf Discord abgelehnt hast.
web-sign-in-failed = Discord hat nicht bestätigt, wer du bist. Bitte versuche es später noch einmal; wenn es so bleibt, findet der Betreiber des Bots den Grund im Log.
web-sign-out = Abmelden
web-sign-out-everywhere = Auf allen Geräten abmelden
web-error-title = Das geht nicht
web-error-not-found = Diese Seite gibt es nicht, oder du kannst sie nicht sehen.
web-error-permission = Für diese Seite brauchst du in diesem Server die Berechtigung „{ $permission }“.
web-error-foreign = Dieses Formular gehört zu einer anderen Sitzung oder einer anderen Website, deshalb wurde nichts geändert. Geh zurück, lade die Seite neu und versuche es noch einmal.
web-error-old = Diese Seite wurde vor mehr als 15 Minuten geöffnet, deshalb wurde nichts geändert. Bitte lade sie neu und versuche es noch einmal.
web-error-too-long = Was du gesendet hast, ist zu lang.
web-error-too-many = Du hast viele Anfragen gesendet. Bitte warte einen Moment.
web-error-away = Die Seite kann gerade nicht angezeigt werden. Bitte versuche es gleich noch einmal.
web-error-discord = Discord antwortet gerade nicht. Bitte versuche es gleich noch einmal.

web-any = alle
web-at = Zeit
web-kind = Art
web-member = Mitglied
web-member-id = ID des Mitglieds
web-moderator = Moderator
web-moderator-id = ID des Moderators
web-reason = Grund
web-reason-with = Grund enthält
web-search = Suchen
web-pages = Seiten
web-newest = Neueste
web-older = Ältere
web-period = Zeitraum
web-days = { $days ->
        [one] 1 Tag
       *[other] { $days } Tage
    }
web-amount = Anzahl
web-bad-id = Eine ID besteht aus 17 bis 19 Ziffern.
web-bad-kind = Diese Art von Fällen gibt es nicht.
web-sure = Bist du sicher?
web-filter = Filtern
web-bad-page = Diese Seite gibt es nicht.
web-bad-order = Diese Reihenfolge gibt es nicht. Möglich sind xp, messages und week.
web-bad-period = Diesen Zeitraum gibt es nicht. Möglich sind 1, 7, 30, 90 und 365 Tage.
web-chart-table = Als Tabelle zeigen
web-chart-empty = In diesem Zeitraum wurde nichts gezählt.

web-cases = Fälle
web-case = Fall
web-cases-hidden = Verborgene Fälle
web-cases-without-hidden = nicht zeigen
web-cases-with-hidden = zeigen
web-case-is-removed = zurückgenommen
web-case-expires = Verfällt
web-case-ends = Endet
web-case-ended = Beendet
web-case-removed = Zurückgenommen
web-case-removed-why = Grund der Rücknahme
web-case-hidden-at = Verborgen
web-case-notes = Notizen
web-case-changes = Änderungen
web-case-reason-before = Der Grund davor:
web-member-history = Fälle von { $user }
web-moderators = Aktivität der Moderatoren
web-reports = Meldungen
web-reports-none = Es gibt keine solchen Meldungen.
web-reports-state = Stand
web-reports-open = offen
web-reports-closed = geschlossen
web-reports-reporter-id = ID dessen, der gemeldet hat
web-report = Meldung
web-report-about = Meldung über { $user }
web-report-entries = Was Mitglieder geschrieben haben
web-report-message = Nachricht
web-report-message-open = In Discord öffnen
web-report-react = Reagieren
web-report-members = { $members ->
        [one] 1 Mitglied
       *[other] { $members } Mitglieder
    }
web-appeals = Einsprüche
web-appeals-none = Es gibt keine solchen Einsprüche.
web-appeal = Einspruch
web-appeal-of = Einspruch von { $user }
web-appeal-text = Was der Nutzer geschrieben hat
web-appeal-votes = Stimmen
web-appeal-vote = Deine Stimme
web-appeal-for = Bann aufheben
web-appeal-against = Nicht aufheben
web-appeal-counted = { $for } dafür, { $against } dagegen
web-appeal-decide = Entscheidung
web-appeal-answer = Antwort
web-appeal-answer-hint = Der Nutzer liest sie, wenn er angemeldet ist. Hebst du den Bann auf, ist sie auch der Grund des Falls.
web-appeal-accept = Bann aufheben
web-appeal-decline = Ablehnen
web-appeal-accepted = angenommen von { $moderator }
web-appeal-declined = abgelehnt von { $moderator }
appeal-title = Einspruch an { $server }
appeal-text = Warum soll dein Bann aufgehoben werden?
appeal-text-hint = Das Team des Servers liest es. Du kannst bis zu 1.000 Zeichen schreiben und danach nichts mehr ändern.
appeal-send = Senden
appeal-bad = Bitte schreibe zwischen 1 und 1.000 Zeichen.
appeal-done = Das Team hat deinen Einspruch. Diese Seite zeigt die Entscheidung.
appeal-open = Das Team hat deinen Einspruch noch nicht entschieden. Diese Seite zeigt die Entscheidung.
appeal-too-early = Du kannst ab { $at } wieder Einspruch einlegen.
appeal-not-banned = Du bist in diesem Server nicht gebannt.
appeal-yours = Deine Einsprüche
appeal-answer = Antwort des Teams:
appeal-accepted = angenommen
appeal-declined = abgelehnt
appeal-voted = Deine Stimme ist gezählt.
appeal-is-declined = Der Einspruch ist abgelehnt.
appeal-closed = Dieser Einspruch ist schon entschieden.
appeal-log = 📨 <@{ $user }> legt Einspruch gegen den Bann ein: { $link }
appeal-log-declined = 📨 <@{ $moderator }> hat den Einspruch von <@{ $user }> abgelehnt.
appeal-log-ended = 📨 Der Einspruch von <@{ $user }> ist erledigt: { $why }
appeal-ended = erledigt, weil dein Bann geendet hat
appeal-ended-by-hand = { $moderator } hat den Bann in Discord aufgehoben
appeal-ended-expired = der Bann hat geendet
appeal-ended-undone = { $moderator } hat den Massenbann zurückgenommen

web-audit = Protokoll
web-audit-none = Solche Einträge gibt es nicht.
web-audit-action = Aktion
web-audit-actor = Von
web-audit-actor-id = ID der Person
web-audit-details = Einzelheiten
web-audit-before = Vorher
web-audit-undone = rückgängig gemacht
web-audit-by-command = Befehl
web-audit-by-web = Website
web-audit-by-cli = der Betreiber des Bots
web-audit-by-bot = der Bot

web-scheduled = Geplant
web-scheduled-due = Zeit
web-scheduled-what = Was geschieht
web-scheduled-failure = Letzter Fehler
web-scheduled-retried = Schlägt fehl und wird wiederholt
web-scheduled-failed = Fehlgeschlagen
web-scheduled-change = Ändern
web-scheduled-change-of = Ändern: { $what }
web-scheduled-cancel = Abbrechen
web-scheduled-cancel-of = Abbrechen: { $what }
web-scheduled-duration = Neue Zeit von jetzt an, etwa 2h oder 7d: { $what }
web-scheduled-duration-example = 2h, 7d

web-statistics = Statistik
web-statistics-off = Dieser Server zählt zurzeit nicht. Die Statistik lässt sich in den Einstellungen einschalten.
web-statistics-hours = Nachrichten nach Tageszeit
web-statistics-channels = Nachrichten nach Kanal
web-statistics-commands = Befehle
web-statistics-members-hint = Beitritte und Austritte werden nur gezählt, wenn der Betreiber des Bots den Server Members Intent aktiviert hat. Zeiten sind in UTC.
web-statistics-csv = Als CSV herunterladen
web-messages = Nachrichten
web-commands = Befehle
web-joins = Beigetretene Mitglieder
web-leaves = Ausgetretene Mitglieder
web-channel = Kanal
web-command = Befehl

web-api = API
web-api-text = Mit einem Token können Programme Daten dieses Servers als JSON lesen.
web-api-description = Beschreibung der API (OpenAPI)
web-api-made = Das ist das neue Token. Kopiere es jetzt, denn es wird nicht noch einmal gezeigt.
web-api-name = Name
web-api-parts = Darf lesen
web-api-by = Von
web-api-revoke = Widerrufen
web-api-new = Neues Token
web-api-create = Erstellen
web-api-part-leaderboard = Rangliste
web-api-part-cases = Fälle
web-api-part-statistics = Statistik
web-api-bad-name = Ein Token braucht einen Namen mit höchstens 50 Zeichen.
web-api-bad-parts = Wähle, was das Token lesen darf.
web-api-many = Dieser Server hat 20 Token, mehr sind nicht möglich. Widerrufe zuerst eines.

web-operators = Betrieb
web-leaderboard = Rangliste
web-leaderboard-title = Rangliste von { $server }
web-leaderboard-orders = Reihenfolge
web-leaderboard-search = Mitglied, nach dem Anfang des Namens
web-leaderboard-search-button = Suchen
web-leaderboard-rank = Rang
web-leaderboard-member = Mitglied
web-leaderboard-level = Level
web-leaderboard-xp = XP
web-leaderboard-messages = Nachrichten
web-leaderboard-empty = In dieser Rangliste ist noch niemand.
web-leaderboard-none = Kein Mitglied in dieser Rangliste hat einen Namen, der so beginnt.
web-leaderboard-preview = Wer in diesem Server die meisten XP und Nachrichten hat.
web-leaderboard-members = Nur Mitglieder dieses Servers sehen diese Seite.
web-leaderboard-off = Nur du und andere, die diesen Server verwalten, sehen diese Seite. Die Einstellung steht im Abschnitt Level.
web-member-weeks = XP nach Woche
web-member-week = Woche ab
web-member-week-running = { $day } (bisher)
web-member-weeks-hint = Wochen beginnen am Montag (UTC). XP, die das Team vergeben, abgezogen oder importiert hat, zählen in der Woche, in der es das tat.
web-member-unnamed = Mitglied …{ $id }
web-first = Erste Seite
web-previous = Vorige Seite
web-next = Nächste Seite
levels-settings = Level
levels-setting-leaderboard = Rangliste auf der Website
levels-setting-leaderboard-hint = Wer sie sieht. Mitglieder können sich mit /privacy hide verbergen.
levels-visibility-off = niemand
levels-visibility-members = Mitglieder
levels-visibility-public = alle

massban-description = Bis zu 200 Nutzer auf einmal bannen, nach einer Vorschau
massban-option-users = nutzer
massban-option-users-description = IDs oder Erwähnungen, getrennt durch Leerzeichen oder Kommas
massban-nobody = In dieser Liste ist keine ID und keine Erwähnung eines Nutzers.
massban-too-many = Das sind { $count } Nutzer. Höchstens 200 können auf einmal gebannt werden.
massban-checking = { $count } Nutzer werden geprüft…
massban-checked = { $done } von { $all } Nutzern sind geprüft…
massban-sure = { $users ->
        [one] **Ein Nutzer** kann gebannt werden.
       *[other] **{ $count } Nutzer** können gebannt werden.
    } Sie bekommen keine Direktnachricht. Bannen?
massban-none = Keiner dieser Nutzer kann gebannt werden.
massban-not = ⛔ { $users }: { $why }
massban-yes = Bannen
massban-tell = Bannen und benachrichtigen
massban-no = Abbrechen
massban-stop = Anhalten
massban-kept = Niemand wurde gebannt.
massban-begun = Die Nutzer werden gebannt…
massban-so-far = Bisher { $done } von { $all } Nutzern…
massban-stopping = Nach den jetzigen Nutzern ist Schluss…
massban-done = 🔨 { $banned } von { $all } Nutzern wurden auf einmal gebannt (Fälle #{ $first } bis #{ $last }).
massban-ended = 🛑 { $banned } von { $all } Nutzern wurden auf einmal gebannt (Fälle #{ $first } bis #{ $last }), dann war Schluss: { $why }
massban-undo = Diese Banns aufheben
massban-undo-hint = Der Knopf hebt einen Tag lang alle diese Banns auf, und `/unban` einen davon.
massban-undo-none = Keiner dieser Banns besteht noch.
massban-undo-late = Dieser Massenbann ist noch nicht zu Ende, oder er ist länger als einen Tag her. `/unban` hebt einen Bann auf.
massban-undo-waiting = Es ist noch nicht fertig und geht weiter. `/case list` zeigt, was aus jedem Bann geworden ist.
massban-undoing = Die Banns werden aufgehoben…
massban-undone = ♻️ { $lifted } von { $all } Banns wurden aufgehoben (Fälle #{ $first } bis #{ $last }).
massban-log-undone = ♻️ <@{ $moderator }> hat { $users ->
        [one] den Bann
       *[other] { $users } Banns
    } eines Massenbanns aufgehoben (Fälle #{ $first } bis #{ $last }).
massban-waiting = Es ist noch nicht fertig und geht weiter. Der Log-Kanal zeigt, wann es so weit ist.
massban-audit = Massenbann von { $moderator }: { $reason }
massban-log-by = Moderator: <@{ $moderator }>
massban-log-limit = ⚠️ <@{ $moderator }> wollte { $users ->
        [one] einen Nutzer
       *[other] { $users } Nutzer
    } auf einmal bannen, mehr als das Limit von { $most } in einer Stunde. Das wurde abgelehnt.
massban-why-you = das bist du.
massban-why-me = das bin ich.
massban-why-unknown = diesen Nutzer gibt es nicht.
massban-why-banned = schon gebannt.
massban-why-protected = eine geschützte Rolle.
massban-why-wrong = keine ID oder Erwähnung eines Nutzers.
massban-why-stopped = es wurde angehalten.
massban-why-moderator = dem Moderator fehlt inzwischen die Berechtigung.

report-description = Ein Mitglied dem Team dieses Servers melden
report-menu = Nachricht melden
report-option-member = mitglied
report-option-member-description = Wer gemeldet wird
report-option-reason = grund
report-option-reason-description = Was passiert ist; nur das Team sieht es
report-option-message = nachricht
report-option-message-description = Der Link der Nachricht, wenn es um eine geht
report-reason-hint = Was ist an dieser Nachricht falsch? Nur das Team sieht es.
report-off = Dieser Server nimmt keine Meldungen an.
report-broken = Meldungen erreichen das Team im Moment nicht. Bitte schreib ihm direkt.
report-yourself = Du kannst dich nicht selbst melden.
report-me = Du kannst mich nicht melden.
report-bad-link = Bitte gib den Link einer Nachricht auf diesem Server an.
report-done = 🚩 Danke. Das Team hat deine Meldung, und nur das Team sieht sie.
report-again = Du hast diese Nachricht schon gemeldet. Das Team sieht sie sich an.
report-too-many = Du kannst in einer Stunde { $most } Meldungen machen. Bitte schreib dem Team direkt, wenn es eilt.
report-title = 🚩 **Meldung** über <@{ $user }>
report-message = Nachricht: { $link }
report-by = Von <@{ $user }> { $at }:
    { $reason }
report-more = { $members ->
        [one] Ein weiteres Mitglied hat es auch gemeldet.
       *[other] { $members } weitere Mitglieder haben es auch gemeldet.
    }
report-claim = Übernehmen
report-release = Freigeben
report-dismiss = Verwerfen
report-warn = Verwarnen
report-timeout = Timeout
report-ban = Bannen
report-claimed = 👀 Übernommen von <@{ $moderator }>.
report-dismissed = ✅ Verworfen von <@{ $moderator }>.
report-acted = ✅ Geschlossen von <@{ $moderator }> mit Fall #{ $case }.
report-is-claimed = Du hast diese Meldung übernommen.
report-is-released = Die Meldung ist nicht mehr übernommen.
report-is-dismissed = Die Meldung ist verworfen.
report-closed = Diese Meldung ist schon geschlossen.
report-own = Diese Meldung ist über dich. Ein anderer Moderator muss sie sich ansehen.
report-log-failed = ❗ Eine Meldung über <@{ $user }> konnte in <#{ $channel }> nicht gezeigt werden. { $why }
report-direct-closed = 🚩 Das Team von **{ $server }** hat sich deine Meldung angesehen. Danke.
