about-description = Was dieser Bot ist und woher er kommt
about-reply = **Eventide** { $version }
    Zählt, was Mitglieder schreiben, jede Nachricht einmal, auch über Neustarts und Ausfälle hinweg.
    Shard { $shard } · läuft seit { $since }

help-description = Die Befehle und was sie tun
help-title = **Befehle**

ping-description = Wie schnell der Bot und was er braucht antworten
ping-reply =
    Gateway: { $gateway }
    Discords API: { $rest }
    Datenbank: { $database }
ping-milliseconds = { $milliseconds } ms
ping-not-yet = noch nicht gemessen
ping-away = **antwortet nicht**

rank-description = Das Level eines Mitglieds und was zum nächsten fehlt
rank-option-member = mitglied
rank-option-member-description = Wessen Rang; ohne Angabe deiner
rank-reply = **{ $name }** ist auf Level **{ $level }**, Rang **#{ $rank }**
    { $bar }
    { $xp } XP in { $messages ->
        [one] einer Nachricht
       *[other] { $count } Nachrichten
    }; { $missing } XP bis Level { $next }
rank-nobody = **{ $name }** hat auf diesem Server noch keine XP.

error-away = Die Datenbank antwortet gerade nicht. Was du schreibst, zählt trotzdem und wird nachgetragen. Bitte versuche es in einer Minute noch einmal.
error-broken = Etwas ist schiefgegangen; der Betreiber kann es nachlesen. Bitte versuche es noch einmal.
error-busy = Gerade fragen zu viele. Bitte versuche es in einer Minute noch einmal.
error-flood = Bitte warte ein wenig, bevor du diesen Befehl wieder benutzt: { $until }.
error-server-only = Dieser Befehl geht nur auf Servern.
error-stale = Dieser Knopf stammt von einer älteren Version des Bots. Bitte benutze den Befehl noch einmal.
error-unknown = Diesen Befehl hat der Bot nicht mehr. Discord zeigt ihn vielleicht noch einige Minuten an.
error-option = Mit **{ $option }** kann dieser Befehl nichts anfangen. Bitte wähle es aus der Liste, die Discord zeigt.
error-slow = Das hat zu lange gedauert. Bitte versuch es in einer Minute noch einmal.
error-permission = Dafür brauchst du die Berechtigung **{ $permission }**.
permission-manage-guild = Server verwalten
permission-moderate-members = Mitglieder im Timeout
permission-kick-members = Mitglieder kicken
permission-ban-members = Mitglieder bannen
permission-other = Administrator
