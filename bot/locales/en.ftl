# Every text that a member sees. The same keys stand in every language's file; a test finds those that are missing.

about-description = What this bot is, and where it comes from
about-reply = **Eventide** { $version }
    Counts what members write, once each, through restarts and outages.
    Shard { $shard } · up since { $since }

help-description = The commands, and what they do
help-title = **Commands**

ping-description = How quickly the bot and what it needs answer
ping-reply =
    Gateway: { $gateway }
    Discord's API: { $rest }
    Database: { $database }
ping-milliseconds = { $milliseconds } ms
ping-not-yet = not measured yet
ping-away = **does not answer**

rank-description = The level of a member, and what is missing to the next one
rank-option-member = member
rank-option-member-description = Whose rank; yours if you name nobody
rank-reply = **{ $name }** is level **{ $level }**, rank **#{ $rank }**
    { $bar }
    { $xp } XP in { $messages ->
        [one] one message
       *[other] { $count } messages
    }; { $missing } XP to level { $next }
rank-nobody = **{ $name }** has no XP in this server yet.

error-away = The database does not answer at the moment. What you write still counts, and is written down when it is back. Please try again in a minute.
error-broken = Something went wrong, which was noted for the operator. Please try again.
error-busy = Too many people ask at the moment. Please try again in a minute.
error-flood = Please wait a little before you use this command again: { $until }.
error-server-only = This command works in servers only.
error-stale = This button is from an older version of the bot. Please use the command again.
error-unknown = The bot does not have this command any more. Discord may show it for some minutes still.
error-option = **{ $option }** is not what this command can use. Please choose it from the list that Discord shows.
error-slow = This took too long. Please try again in a minute.
error-permission = You need the permission **{ $permission }** for this.
permission-manage-guild = Manage Server
permission-moderate-members = Timeout Members
permission-kick-members = Kick Members
permission-ban-members = Ban Members
permission-other = Administrator
