# Every text that a member sees. The same keys stand in every language's file; a test finds those that are missing.

about-description = What this bot is, and where it comes from
about-reply = **Eventide** { $version }
    Counts what members write, once each, through restarts and outages.
    Shard { $shard } · started { $since }

card-description = The colours of rank cards
card-mine-description = Choose the colour of your rank card
card-server-description = Choose the colour of the cards of all who chose none
card-reset-description = Take a choice back
card-option-colour = colour
card-option-colour-description = As #RRGGBB, such as #5865F2
card-option-server = server
card-option-server-description = The server's choice; yours otherwise
card-mine-set = Your rank card is { $colour } now. What could not be seen on it is drawn lighter.
card-mine-reset = Your rank card has the server's colour again.
card-server-set = The rank cards of this server are { $colour } now, except those of members who chose a colour.
card-server-reset = The rank cards of this server have the bot's own colour again.
card-bad-colour = A colour is written as `#RRGGBB`, such as `#5865F2`: two digits or letters up to F each for red, green and blue.

help-description = The commands, and what they do
help-title = **Commands**

leaderboard-description = Who has the most XP or messages in this server
leaderboard-option-by = by
leaderboard-option-by-description = What counts; XP if you choose nothing
leaderboard-option-page = page
leaderboard-option-page-description = Which page; the first if you say nothing
leaderboard-by-xp = XP
leaderboard-by-messages = Messages
leaderboard-by-week = XP this week
leaderboard-title = Leaderboard: { $by }
leaderboard-line-xp = **#{ $rank }** { $member } · level { $level } · { $value } XP
leaderboard-line-messages = **#{ $rank }** { $member } · level { $level } · { $messages ->
        [one] 1 message
       *[other] { $value } messages
    }
leaderboard-footer = Page { $page } of { $pages } · { $members ->
        [one] one member
       *[other] { $count } members
    }
leaderboard-footer-week = { $footer } · weeks begin on Monday, 00:00 UTC
leaderboard-empty = No one is on the leaderboard yet. Be the first!
leaderboard-me = My page
leaderboard-not-on-it = You are not on this leaderboard yet: write something, and you will be.

ping-description = How quickly the bot and what it needs answer
ping-reply =
    Gateway: { $gateway }
    Discord's API: { $rest }
    Database: { $database }
ping-milliseconds = { $milliseconds } ms
ping-not-yet = not measured yet
ping-away = **does not answer**

privacy-description = See, or have erased, what is stored about you in this server
privacy-export-description = Get everything that is stored about you in this server
privacy-export-name = export
privacy-exported = This is everything that is stored about you in this server.
privacy-delete-description = Have everything erased that is stored about you in this server
privacy-delete-name = delete
privacy-delete-question = This erases your XP, your messages' count and everything else that is stored about you in this server. Warnings stay: they are the server's. **It cannot be undone.** What you write later counts anew.
privacy-delete-button = Erase everything
privacy-deleted = Your XP, your message count, your card and everything else that counts or shows you in this server is erased. Warnings about you stay: they are the server's.

rank-description = Show a member's level and progress to the next
rank-option-member = member
rank-option-member-description = Whose rank; yours if you name nobody
rank-option-text = text
rank-option-text-description = As text instead of a picture
rank-card-level = Level
rank-card-rank = Rank
rank-card-xp = { $done } / { $needed } XP
rank-card-messages = { $messages ->
        [one] one message
       *[other] { $count } messages
    }
rank-card-alt = Rank card of { $name }: level { $level }, rank #{ $rank }, { $done } of { $needed } XP to level { $next }, { $total } XP in all, { $messages ->
        [one] one message
       *[other] { $count } messages
    }.
rank-reply = **{ $name }** is level **{ $level }**, rank **#{ $rank }**
    { $bar }
    { $xp } XP in { $messages ->
        [one] one message
       *[other] { $count } messages
    }; { $missing } XP to level { $next }
rank-nobody = **{ $name }** has no XP in this server yet.

error-away = The database does not answer at the moment. What you write still counts, and is written down when it is back. Please try again in a minute.
error-away-midway = The database does not answer at the moment. What was begun is finished when it is back.
error-broken = Something went wrong, which was noted for the operator. Please try again.
error-busy = Too many people ask at the moment. Please try again in a minute.
error-flood = Please wait a little before you use this command again: { $until }.
error-server-only = This command works in servers only.
error-stale = This button is from an older version of the bot. Please use the command again.
error-unknown = The bot does not have this command any more. Discord may show it for some minutes still.
error-option = **{ $option }** is not what this command can use. Please correct it, or choose it from the list if Discord shows one.
error-slow = This took too long. Please try again in a minute.
error-permission = You need the permission **{ $permission }** for this.
permission-manage-guild = Manage Server
permission-manage-roles = Manage Roles
permission-manage-channels = Manage Channels
permission-manage-webhooks = Manage Webhooks
permission-move-members = Move Members
permission-mute-members = Mute Members
permission-deafen-members = Deafen Members
permission-manage-nicknames = Manage Nicknames
permission-manage-messages = Manage Messages
permission-manage-threads = Manage Threads
permission-pin-messages = Pin Messages
permission-manage-expressions = Manage Expressions
permission-manage-events = Manage Events
permission-mention-everyone = Mention Everyone
permission-view-audit-log = View Audit Log
permission-moderate-members = Timeout Members
permission-kick-members = Kick Members
permission-ban-members = Ban Members
permission-other = Administrator
denied-role-above = This could give { $role } to members. For that, your highest role must be above it.
denied-owner-only = { $role } has the permission **{ $permission }**. Only the owner of the server can make it a reward.
denied-member-above = Your highest role must be above theirs.
hindrance-permission = the moderator lacks the permission **{ $permission }**.
hindrance-rank = the member's highest role is not below the moderator's.

xp-description = Give, take, set or reset the XP of members
xp-give-description = Give XP to a member, or to everybody with a role
xp-take-description = Take XP from a member, or from everybody with a role
xp-set-description = Set the XP of a member, or of everybody with a role
xp-reset-description = Set the XP of a member, or of everybody with a role, to 0
xp-option-amount-description = How much XP
xp-option-member-description = The member
xp-option-role-description = Everybody with this role
xp-one-of-both = Please choose a member or a role, one of both.
xp-bot = Bots have no XP.
xp-amount = That is more XP than the highest level takes. Please choose a smaller number.
xp-one = { $user } had { $before } XP and has { $after } now: level { $level }.
xp-many = Done: the XP of { $members ->
        [one] one member has
       *[other] { $count } members has
    } changed. `/levels undo` takes it back.
xp-nobody = Nobody has this role.
xp-done-before = This has been done already.
xp-looking = Looking for the members with { $role } …
xp-members-hidden = Discord does not tell me who has a role: whoever runs the bot has to switch on the Server Members Intent for it. Single members work.

levels-description = What messages earn, how levels are announced and what they give
levels-show-description = Everything at a glance
levels-xp-description = How much XP a message earns
levels-cooldown-description = For how long further messages earn nothing
levels-multiplier-description = Let a role or a channel earn more, less or nothing
levels-role-mode-description = Which role counts if a member has several with multipliers
levels-boost-description = Let messages earn more for a time
levels-boost-end-description = End all boosts now
levels-announce-description = Where level-ups are announced, and how
levels-reward-description = Roles that levels give
levels-reward-add-description = Have a level give a role
levels-reward-remove-description = Stop giving a role at a level
levels-reward-list-description = The roles that levels give
levels-reward-mode-description = Whether members keep the roles of lower levels
levels-reward-demotion-description = When members lose the roles of levels that they no longer have
levels-reward-rejoin-description = Whether members who come back get the roles of their level
levels-reward-sync-description = Check the roles of all members and give what is missing
levels-curve-description = How much XP levels take
levels-reset-description = Take all XP of all members
levels-undo-description = Take back a change of XP
levels-option-least-description = The least XP for a message
levels-option-most-description = The most XP for a message
levels-option-seconds-description = In seconds; 0 for none
levels-option-factor-description = Such as 2, or 0.5; 0 earns nothing, 1 is as usual
levels-option-role-description = The role
levels-option-channel-description = The channel, category or thread
levels-option-mode-description = Which one counts
levels-option-mode-largest = the largest multiplier
levels-option-mode-highest = the role that stands highest
levels-option-mode-sum = all added up
levels-option-hours-description = For how many hours
levels-option-where-description = Where
levels-option-where-off = nowhere
levels-option-where-same-channel = in the channel of the message
levels-option-where-channel = in one channel
levels-option-where-direct = in a direct message
levels-option-text-description = Such as: {"{"}user{"}"} reached level {"{"}level{"}"}!
levels-option-ping-description = Whether the member is notified
levels-option-level-description = The level
levels-option-remove-description = When to remove them; roles that people gave by hand stay
levels-option-remove-never = never
levels-option-remove-undo = when a change of XP is undone
levels-option-remove-always = whenever their level goes down
levels-option-give-description = Whether they get them
levels-option-dry-run-description = Change nothing, and show how many members would be checked and what is in the way
levels-option-take-description = Also remove roles that I gave for levels that members no longer have
levels-option-keep-description = What happens to the roles of lower levels
levels-option-keep-stack = members keep them
levels-option-keep-replace = only the highest stays
levels-option-kind-description = The curve
levels-option-kind-mee6 = as MEE6 has it
levels-option-kind-linear = the same for each level
levels-option-kind-arcane = as Arcane has it
levels-option-kind-cubic = one of your own
levels-option-step-description = For the same for each level: how much XP
levels-option-cubic-description = For one of your own: times level³
levels-option-square-description = For one of your own: times level²
levels-option-straight-description = For one of your own: times the level
levels-option-change-description = Which one; the newest if you choose none
levels-one-of-both = Please choose a role or a channel, one of both.
levels-server = the whole server
levels-xp-order = The minimum is larger than the maximum.
levels-xp-done = A message earns { $range } from now on.
levels-xp-one = { $most } XP
levels-xp-range = { $least } to { $most } XP
levels-cooldown-done = { $seconds ->
        [0] Every message earns XP from now on.
        [one] A member earns XP at most once a second from now on.
       *[other] A member earns XP at most once in { $count } seconds from now on.
    }
levels-multiplier-done = Multiplier for { $target }: { $factor } from now on.
levels-multiplier-none = Multiplier for { $target }: messages earn nothing from now on.
levels-multiplier-gone = No multiplier for { $target } from now on.
levels-multiplier-too-many = There are 100 multipliers already. Please set one of them to 1 first.
levels-role-mode-done = If a member has several roles with multipliers, this counts: { $mode }.
levels-boost-done = Boost: { $target } { $factor } until { $until }
levels-boost-end-done = All boosts have ended.
levels-boost-too-many = There are 10 boosts already. Please wait for one to end, or end them with `/levels boost-end`.
levels-curve-flat = A level has to take at least 1 XP. Please give the curve a number that is larger.
levels-curve-done = Done. XP stays, and levels follow: level 1 at { $one }, 10 at { $ten }, 50 at { $fifty }, 100 at { $hundred } XP.
levels-announce-off = Level-ups are not announced.
levels-announce-same = Level-ups are announced in the channel of the message.
levels-announce-channel = Level-ups are announced in { $channel }.
levels-announce-direct = Level-ups are announced in a direct message.
levels-announce-no-channel = Please choose the channel, too.
levels-announce-bad = The text cannot be used: { $fault }
levels-reward-added = Level { $level } gives { $role } from now on. `/levels reward sync` gives it to those who are there already.
levels-reward-removed = No level gives { $role } any more. Who has it keeps it.
levels-reward-none = No level gives { $role }.
levels-reward-empty = No level gives a role yet. `/levels reward add` changes that.
levels-reward-too-many = There are 250 rewards already, as many as a server can have roles. Please remove one first.
levels-reward-line = Level { $level }: { $role }
levels-reward-more = … and { $more } more
levels-reward-stack = Members keep the roles of lower levels.
levels-reward-replace = Members have only the role of the highest level they reached.
levels-reward-off = ⚠️ Roles are not given at the moment, because Discord refused it again and again. `/levels reward mode` switches them on again.
levels-reward-no-permission = I lack the permission **Manage Roles**, so I cannot give roles. Please add it and try again.
levels-reward-above = This role is not below my highest one, so I cannot give it. Please move my role up and try again.
levels-reward-trouble = ⚠️ { $role }: { $why }
levels-reward-unknown = This role does not exist any more.
levels-reward-everyone = Everyone has this role already.
levels-reward-not-given = This role belongs to an integration or to boosting. Only Discord can give it.
levels-demotion-never = Members keep the roles of levels that they no longer have.
levels-demotion-undo = Members lose the roles that I gave when the change of XP that raised their level is undone.
levels-demotion-always = Members lose the roles that I gave whenever their level goes down.
levels-rejoin-on = Members who come back get the roles of their level. Where I am not told who joins, they get them with their next level.
levels-rejoin-off = Members who come back get no roles before their next level.
levels-sync-dry = { $members ->
        [one] One member
       *[other] { $count } members
    } would be checked. Nothing was changed.
levels-sync-started = Looking for the members …
levels-sync-progress = { $done } of { $members ->
        [one] one member is
       *[other] { $count } members are
    } done.
levels-sync-done = Done: { $members ->
        [one] one member has the roles of their level.
       *[other] { $count } members have the roles of their level.
    }
levels-sync-waiting = { $members ->
        [one] One member waits
       *[other] { $count } members wait
    } until a role can be given. I will try again when the roles change, and every hour.
levels-sync-goes-on = { $done } of { $members ->
        [one] one member is
       *[other] { $count } members are
    } done. The rest follows; I cannot update this message any longer.
levels-reset-sure = This takes all XP of **all members** of this server. `/levels undo` can take it back. Are you sure?
levels-reset-yes = Yes, take all XP
levels-reset-no = No
levels-reset-kept = Nothing was changed.
levels-reset-runs = Taking all XP …
levels-reset-done = Done: { $members ->
        [one] one member has
       *[other] { $count } members have
    } 0 XP now.
levels-mass-so-far = { $members ->
        [one] One member so far …
       *[other] { $count } members so far …
    }
levels-undo-nothing = There is no such change that could be taken back.
levels-undo-runs = Taking it back …
levels-undo-done = Taken back for { $members ->
        [one] one member
       *[other] { $count } members
    }.
levels-undo-minutes = { $age ->
        [0] just now
       *[other] { $count } min ago
    }
levels-undo-hours = { $age ->
       *[other] { $count } h ago
    }
levels-undo-days = { $age ->
        [one] one day ago
       *[other] { $count } days ago
    }
levels-undo-give = +{ $amount } XP
levels-undo-take = −{ $amount } XP
levels-undo-set = { $amount } XP
levels-undo-undo = undo
levels-undo-reset = reset
levels-undo-members = { $members ->
        [one] one member
       *[other] { $count } members
    }
levels-undo-line = { $what } · { $whom } · by { $actor } · { $ago }
levels-show = { $seconds ->
        [0] Every message earns **{ $range }**.
        [one] A message earns **{ $range }**, at most once a second for each member.
       *[other] A message earns **{ $range }**, at most once in { $count } seconds for each member.
    }
levels-show-curve = Level 1 at { $one }, 10 at { $ten }, 50 at { $fifty }, 100 at { $hundred } XP.
levels-show-multipliers = Multipliers: { $list } (of several roles: { $mode })
error-foreign = Only the person who ran this command can use these controls. Please run it yourself.

settings-description = Log channel, welcome, language and prefix
settings-none = none
settings-panel = **Settings of this server**
    Log channel: { $log }
    Welcome channel: { $welcome }
    Language: { $language }
    Prefix of written commands: `{ $prefix }`
settings-log-menu = Log channel: what moderators should know
settings-welcome-menu = Welcome channel: who comes is greeted there
settings-language-menu = Language
settings-language-auto = As Discord is set
settings-language-en = English
settings-language-de = German
settings-text-button = Welcome text
settings-text-label = Text
settings-text-hint = {"{"}user{"}"}, {"{"}user.name{"}"} and {"{"}server{"}"} are filled in.
settings-prefix-button = Prefix
settings-prefix-label = Prefix
settings-prefix-hint = Works if whoever runs the bot lets it read messages.
settings-prefix-bad = A prefix has up to 5 characters, without spaces and without @, #, < and `.
settings-welcome-nowhere = Please choose the welcome channel first.
warn-description = Warn a member, as a numbered case
warn-option-member = member
warn-option-member-description = The member to warn; use an ID if they have left
warn-option-reason = reason
warn-option-reason-description = Why; the member reads it, too
warn-option-severity = severity
warn-option-severity-description = How bad it was: low (1 point), medium (2) or high (3); low if you say nothing
warn-option-points = points
warn-option-points-description = What it counts, 0 to 100, if not what the severity says
warn-option-expires = expires
warn-option-expires-description = When it stops to count: 7d, 12h, 2w 3d, never; 90d if you say nothing
warn-option-dm = dm
warn-option-dm-description = Whether the member gets a direct message; yes if you say nothing
warn-severity-low = low
warn-severity-medium = medium
warn-severity-high = high
warn-points = { $points ->
        [one] 1 point
       *[other] { $points } points
    }
warn-counting = { $warnings ->
        [one] One warning counts
       *[other] { $warnings } warnings count
    } now, with { $points }.
warn-expires = expires { $at }
warn-expires-never = never expires
warn-done = ⚠️ Case **#{ $case }**: <@{ $user }> was warned ({ $severity }, { $points }, { $expiry }).
    { $counting }
warn-crossed = ➡️ { $points } reached: **{ $action }**.
warn-crossed-until = ➡️ { $points } reached: **{ $action }** until { $until }.
warn-message-closed = ✉️ They accept no direct messages from me, so they do not know of it yet.
warn-action-done = ✅ Done.
warn-action-gone = ℹ️ They are not here any more, so there was nothing to do.
warn-action-failed = ⛔ It was not carried out: { $why }
warn-crossed-hindered = ⛔ { $points } reached, but the **{ $action }** was not carried out: { $why }
warn-direct = ⚠️ You were warned on **{ $server }** (case #{ $case }, { $severity }, { $points }, { $expiry }):
    { $reason }
warn-bad-expiry = **{ $given }** is not a time that I can read. Write for example `90min`, `1.5h`, `7d`, `2w 3d` or `never`: at least a second, at most ten years.
warn-bad-reason = A reason has 1 to 1,000 characters.
warn-bad-points = Points are a number from 0 to 100.
warn-yourself = You cannot warn yourself.
warn-bot = I cannot be warned.
warn-owner = The owner of the server cannot be warned.
warn-above = You can only warn members whose highest role is below yours.

warnings-description = Your warnings, or those of a member
warnings-option-member = member
warnings-option-member-description = Whose; yours if you name nobody
warnings-none = <@{ $user }> has no warnings.
warnings-title = { $total ->
        [one] One warning
       *[other] { $total } warnings
    }
warnings-head = <@{ $user }> · { $counting }
warnings-entry = **#{ $case }** · { $severity } · { $points } · { $at } · { $expiry }
    { $reason }
warnings-entry-expired = **#{ $case }** · { $severity } · { $points } · { $at } · expired { $expired }
    { $reason }
warnings-entry-removed = ~~**#{ $case }** · { $severity } · { $points }~~ · { $at } · removed { $removed }
    { $reason }
warnings-by = { $at } by <@{ $moderator }>
warnings-removed-reason = Removed because: { $reason }
warnings-page = Page { $page } of { $pages }
warnings-foreign = These buttons are for somebody else. Use `/warnings` for a list of your own.
warnings-gone = There is no such page any more. Please use `/warnings` again.

warning-description = Change warnings, and what their points lead to
warning-remove-description = Take a warning back; it stays visible as removed
warning-edit-description = Change a warning; what it was is kept
warning-threshold-description = What happens when a member's points reach so many
warning-threshold-add-description = Add a threshold, or change the one with these points
warning-threshold-remove-description = Remove a threshold
warning-threshold-list-description = Show the thresholds
warning-option-case = case
warning-option-case-description = The number of the case
warning-option-why = reason
warning-option-why-description = Why it is taken back
warning-option-reason = reason
warning-option-reason-description = Why the member was warned
warning-option-severity = severity
warning-option-severity-description = How bad it was; the points follow, unless you say them
warning-option-points = points
warning-option-points-description = What it counts, 0 to 100
warning-option-expires = expires
warning-option-expires-description = When it stops to count, from now on: 7d, 12h, never
warning-option-threshold = points
warning-option-threshold-description = The points that a member reaches
warning-option-action = action
warning-option-action-description = What happens to the member
warning-option-duration = duration
warning-option-duration-description = How long a timeout lasts: 30m, 12h, 7d; 28 days at most
warning-option-window = window
warning-option-window-description = Only warnings of the last so many days count; all that have not expired if you say nothing
warning-action-timeout = timeout
warning-action-kick = kick
warning-action-ban = ban
warning-removed = 🗑️ Case **#{ $case }** of <@{ $user }> is taken back.
warning-edited-points = Thresholds are checked when a warning is given, not when it is edited.
warning-timeout-runs = Its timeout runs until { $until }.
warning-lift = Lift the timeout
warning-lift-over = This timeout is over already.
warning-lifted = 🔊 The timeout of <@{ $user }> from case **#{ $case }** is being lifted.
warning-log-lifted = 🔊 **Case #{ $case }** · <@{ $moderator }> lifted the timeout of <@{ $user }>.
warning-audit-lift = Warning #{ $case } was removed
warning-edited = ✏️ Case **#{ $case }** of <@{ $user }> is now: { $severity }, { $points }, { $expiry }.
    { $reason }
warning-nothing = Say what is to be changed: reason, severity, points or expires.
warning-unknown = There is no case **#{ $case }** in this server.
warning-gone = Case **#{ $case }** was taken back already.
warning-own = You cannot change a warning that is about you.
warning-threshold-line = **{ $points }**: { $action }
warning-threshold-span = { $action } for { $span }
warning-threshold-window = { $threshold } (only warnings of the last { $days ->
        [one] day
       *[other] { $days } days
    })
warning-threshold-added = ✅ Added: { $threshold }
warning-threshold-replaced = ✅ Changed: { $threshold }
warning-threshold-powerless = I lack the permission **{ $permission }**, so nothing will happen until you add it.
warning-threshold-removed = 🗑️ Removed: { $threshold }
warning-threshold-none = There are no thresholds yet. `/warning threshold add` makes one.
warning-threshold-unknown = There is no threshold with { $points }.
warning-threshold-many = A server can have 20 thresholds. Remove one first.
warning-threshold-needs-duration = A timeout needs a duration, such as `12h`.
warning-threshold-no-duration = Only a timeout has a duration.
warning-threshold-bad-duration = **{ $given }** is not a duration that a timeout can have. Write for example `30m`, `1.5h` or `7d`: at least a minute, at most 28 days.
warning-log-warned = ⚠️ **Case #{ $case }** · <@{ $user }> was warned by <@{ $moderator }> ({ $severity }, { $points }, { $expiry }):
    { $reason }
    { $counting }
warning-log-state = { $severity }, { $points }, { $expiry }
    { $reason }
warning-log-edited = ✏️ **Case #{ $case }** of <@{ $user }> was changed by <@{ $moderator }>.
    Before: { $before }
    Now: { $after }
warning-log-removed = 🗑️ **Case #{ $case }** of <@{ $user }> ({ $points }) was taken back by <@{ $moderator }>:
    { $reason }
warning-log-no-reason = > no reason given
warning-log-threshold-added = ⚙️ <@{ $moderator }> set a threshold: { $threshold }
warning-log-threshold-removed = ⚙️ <@{ $moderator }> removed a threshold: { $threshold }
warning-log-failed = ❗ **Case #{ $case }**: I could not do what was due to <@{ $user }> ({ $action }): { $why }
warning-obstacle-permission = I lack the permission for it. Please give me the right to time out, kick or ban members.
warning-obstacle-owner = the server is theirs.
warning-obstacle-above = their highest role is not below mine. Please move my role above it.
warning-obstacle-administrator = administrators cannot be timed out.
warning-obstacle-refused = Discord does not let me.
warning-obstacle-late = Discord could not be reached for too long.
warning-obstacle-other = Discord did not take it.
warning-audit-log = Warning, case #{ $case }: { $points } reached

levels-departed-description = What happens to XP when a member leaves or is banned
levels-option-fate-description = What happens to it
levels-option-fate-keep = they stay on the leaderboard
levels-option-fate-hide = hidden until they are back
levels-option-fate-reset = it is taken
levels-departed-keep = Members who leave stay on the leaderboard from now on.
levels-departed-hide = Members who leave are hidden from the leaderboard from now on, until they are back.
levels-departed-reset = Members who leave lose their XP from now on.

announce-default = GG {"{"}user{"}"}, you just advanced to level {"{"}level{"}"}!
welcome-default = Welcome to {"{"}server{"}"}, {"{"}user{"}"}!

notice-announcements-off = ⚠️ I stopped announcing level-ups after repeated failures: { $reason }. Let me see the channel and send messages there, then switch announcements on again (`/levels announce`).
notice-channel-skipped = ⚠️ I no longer announce level-ups in { $channel } after repeated failures: { $reason }. Let me see the channel and send messages there; I try again from time to time.
notice-rewards-off = ⚠️ I stopped giving reward roles after repeated failures: { $reason }. I need the permission to manage roles, and my highest role must be above every reward; then switch rewards on again (`/levels reward mode`).
notice-reward-blocked = ⚠️ I cannot give the reward role { $role }: { $reason }. Other rewards are given as before. I will try again when the roles change, and every hour.
notice-reward-gone = ℹ️ The role { $role }, the reward for level { $level }, is gone. I have taken it off the list.
