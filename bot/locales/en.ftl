# All texts for members. Every language's file has the same keys; a test finds missing ones.

about-description = Show information about this bot
about-reply = **Eventide** { $version }
    Counts every message exactly once, even through restarts and outages.
    Shard { $shard } · started { $since }

card-description = Change the colours of rank cards
card-mine-description = Choose the colour of your rank card
card-server-description = Choose the colour of the cards of members who have not chosen one
card-reset-description = Reset a colour to the default
card-option-colour = colour
card-option-colour-description = The colour in the form #RRGGBB, such as #5865F2
card-option-server = server
card-option-server-description = Reset the server's colour instead of yours
card-mine-set = Your rank card is now { $colour }. Parts that would be hard to see are drawn lighter.
card-mine-reset = Your rank card uses the server's colour again.
card-server-set = Rank cards in this server are now { $colour }, except those of members who chose a colour.
card-server-reset = Rank cards in this server use the default colour again.
card-bad-colour = A colour has the form `#RRGGBB`, such as `#5865F2`: two characters from 0 to 9 or A to F each for red, green and blue.

help-description = Show the commands and what they do
help-title = **Commands**
help-menu-members = In the menu of a member, below *Apps*: { $names }
help-menu-messages = In the menu of a message, below *Apps*: { $names }

leaderboard-description = Show who has the most XP or messages in this server
leaderboard-option-by = by
leaderboard-option-by-description = What to rank by; XP by default
leaderboard-option-page = page
leaderboard-option-page-description = The page to show; the first by default
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
leaderboard-not-on-it = You are not on this leaderboard yet. Write a message to join it.

ping-description = Show how quickly the bot, Discord and the database respond
ping-reply =
    Gateway: { $gateway }
    Discord's API: { $rest }
    Database: { $database }
ping-milliseconds = { $milliseconds } ms
ping-not-yet = not measured yet
ping-away = **not responding**

privacy-description = See or erase what is stored about you in this server
privacy-export-description = Get everything that is stored about you in this server
privacy-export-name = export
privacy-exported = This is everything that is stored about you in this server.
privacy-delete-description = Erase what is stored about you in this server, except warnings
privacy-delete-name = delete
privacy-delete-question = This erases your XP, your message count and everything else that is stored about you in this server. Warnings stay, because they belong to the server. **This cannot be undone.** Messages that you write later count from zero.
privacy-delete-button = Erase everything
privacy-deleted = Your XP, your message count, your card and everything else that was stored about you in this server have been erased. Warnings about you stay, because they belong to the server.
privacy-hide-description = Hide you on this server's leaderboards on the website
privacy-hide-name = hide
privacy-hidden = You are hidden on this server's leaderboards on the website. `/privacy show` shows you again.
privacy-show-description = Show you on this server's leaderboards on the website again
privacy-show-name = show
privacy-shown = You are shown on this server's leaderboards on the website, if the server has them.

rank-description = Show a member's level and progress to the next
rank-option-member = member
rank-option-member-description = Whose rank to show; yours by default
rank-option-text = text
rank-option-text-description = Answer with text instead of a picture
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

error-away = The database is not responding at the moment. Your messages still count, and are saved when it is back. Please try again in a minute.
error-away-midway = The database is not responding at the moment. Your request will be completed when it is back.
error-broken = Something went wrong. Please try again. The bot's operator can find the details in the log.
error-busy = Too many people are using the bot at the moment. Please try again in a minute.
error-discord-away = Discord is not available at the moment, so nothing was done. Please try again in a minute.
error-discord-refused = Discord does not let me look this up, so nothing was done. Please check the permissions of my role, here and in the channel concerned.
error-discord-gone = Discord no longer knows what this is about, so nothing was done. It may have been deleted.
error-flood = You are using this command too often. You can use it again { $until }.
error-server-only = This command works only in servers.
error-stale = This button is from an older version of the bot. Please use the command again.
error-unknown = This command no longer exists. Discord may still show it for a few minutes.
error-option = The value of **{ $option }** is not valid. Please correct it, or choose one from the list if there is one.
error-slow = This took too long. Please try again in a minute.
error-permission = You need the **{ $permission }** permission for this.
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
denied-role-above = This could give { $role } to members, so your highest role must be above it.
denied-owner-only = { $role } has the **{ $permission }** permission. Only the owner of the server can make it a reward.
denied-member-above = Your highest role must be above theirs.
hindrance-permission = the moderator lacks the **{ $permission }** permission.
hindrance-rank = the member's highest role is not below the moderator's.

xp-description = Give, take, set or reset members' XP
xp-give-description = Give XP to a member, or to everyone with a role
xp-take-description = Take XP from a member, or from everyone with a role
xp-set-description = Set the XP of a member, or of everyone with a role
xp-reset-description = Reset the XP of a member, or of everyone with a role, to 0
xp-option-amount-description = The amount of XP
xp-option-member-description = The member
xp-option-role-description = Everyone with this role
xp-one-of-both = Please choose either a member or a role.
xp-bot = Bots have no XP.
xp-amount = That is more XP than the highest level needs. Please choose a smaller number.
xp-one = { $user } had { $before } XP and now has { $after }: level { $level }.
xp-many = Done: the XP of { $members ->
        [one] one member has
       *[other] { $count } members has
    } changed. `/levels undo` undoes this.
xp-nobody = No one has this role.
xp-done-before = This has already been done.
xp-looking = Looking for members with { $role } …
xp-members-hidden = I cannot see who has a role, because the bot's operator has not enabled the Server Members Intent. You can still choose a single member.

levels-description = Set what messages earn, how levels are announced and which roles they give
levels-show-description = Show all level settings
levels-xp-description = Set how much XP a message earns
levels-cooldown-description = Set how long a member has to wait between messages that earn XP
levels-multiplier-description = Let members with a role, or messages in a channel, earn more XP, less, or none
levels-role-mode-description = Choose what counts if a member has several roles with multipliers
levels-boost-description = Let messages earn more XP for a limited time
levels-boost-end-description = End all boosts now
levels-announce-description = Choose where and how level-ups are announced
levels-reward-description = Manage the roles that levels give
levels-reward-add-description = Give a role at a level
levels-reward-remove-description = Stop giving a role at a level
levels-reward-list-description = Show the roles that levels give
levels-reward-mode-description = Choose whether members keep the roles of lower levels
levels-reward-demotion-description = Choose when members lose the roles of levels that they no longer have
levels-reward-rejoin-description = Choose whether members who return get the roles of their level
levels-reward-sync-description = Check the roles of all members and give what is missing
levels-curve-description = Set how much XP each level takes
levels-reset-description = Reset the XP of all members to 0
levels-undo-description = Undo a change of XP
levels-option-least-description = The minimum XP for a message
levels-option-most-description = The maximum XP for a message
levels-option-seconds-description = The cooldown in seconds; 0 for none
levels-option-factor-description = The factor, such as 2 or 0.5; 0 earns nothing, and 1 is normal
levels-option-role-description = The role
levels-option-channel-description = The channel, category or thread
levels-option-mode-description = What counts
levels-option-mode-largest = the largest multiplier
levels-option-mode-highest = the multiplier of the highest role
levels-option-mode-sum = the sum of all multipliers
levels-option-hours-description = The number of hours
levels-option-where-description = Where to announce level-ups
levels-option-where-off = nowhere
levels-option-where-same-channel = in the channel of the message
levels-option-where-channel = in one channel
levels-option-where-direct = in a direct message
levels-option-text-description = The text, such as: {"{"}user{"}"} reached level {"{"}level{"}"}!
levels-option-ping-description = Whether the member is notified
levels-option-level-description = The level
levels-option-remove-description = When to remove them; roles that were given by hand stay
levels-option-remove-never = never
levels-option-remove-undo = when a change of XP is undone
levels-option-remove-always = whenever their level goes down
levels-option-give-description = Whether they get the roles
levels-option-dry-run-description = Change nothing; show how many members would be checked, and any problems
levels-option-take-description = Also remove roles that I gave for levels that members no longer have
levels-option-keep-description = What happens to the roles of lower levels
levels-option-keep-stack = members keep them
levels-option-keep-replace = only the highest stays
levels-option-kind-description = The curve
levels-option-kind-mee6 = MEE6's curve
levels-option-kind-linear = the same XP for each level
levels-option-kind-arcane = Arcane's curve
levels-option-kind-cubic = your own formula
levels-option-step-description = The XP for each level, if it is the same for all levels
levels-option-cubic-description = For your own formula: the factor of level³
levels-option-square-description = For your own formula: the factor of level²
levels-option-straight-description = For your own formula: the factor of the level
levels-option-change-description = The change to undo; the newest by default
levels-one-of-both = Please choose either a role or a channel.
levels-server = the whole server
levels-xp-order = The minimum is larger than the maximum.
levels-xp-done = A message now earns { $range }.
levels-xp-one = { $most } XP
levels-xp-range = { $least } to { $most } XP
levels-cooldown-done = { $seconds ->
        [0] Every message now earns XP.
        [one] A member now earns XP at most once per second.
       *[other] A member now earns XP at most once every { $count } seconds.
    }
levels-multiplier-done = The multiplier for { $target } is now { $factor }.
levels-multiplier-none = The multiplier for { $target } is now 0: messages earn nothing.
levels-multiplier-gone = There is no longer a multiplier for { $target }.
levels-multiplier-too-many = There are already 100 multipliers. Please set one of them to 1 first.
levels-role-mode-done = If a member has several roles with multipliers, { $mode } counts.
levels-boost-done = Boost for { $target }: { $factor } until { $until }
levels-boost-end-done = All boosts have ended.
levels-boost-too-many = There are already 10 boosts. Please wait for one to end, or end them all with `/levels boost-end`.
levels-curve-flat = A level must take at least 1 XP. Please choose a larger number.
levels-curve-done = Done. Members keep their XP, and their levels follow the new curve: level 1 at { $one }, 10 at { $ten }, 50 at { $fifty }, 100 at { $hundred } XP.
levels-announce-off = Level-ups are not announced.
levels-announce-same = Level-ups are announced in the channel of the message.
levels-announce-channel = Level-ups are announced in { $channel }.
levels-announce-direct = Level-ups are announced in a direct message.
levels-announce-no-channel = Please choose a channel as well.
levels-announce-bad = This text cannot be used: { $fault }
levels-reward-added = Level { $level } now gives { $role }. Use `/levels reward sync` to give it to members who already have the level.
levels-reward-removed = { $role } is no longer a reward. Members who have it keep it.
levels-reward-none = No level gives { $role }.
levels-reward-empty = There are no rewards yet. Add one with `/levels reward add`.
levels-reward-too-many = There are already 250 rewards, as many as a server can have roles. Please remove one first.
levels-reward-line = Level { $level }: { $role }
levels-reward-more = … and { $more } more
levels-reward-stack = Members keep the roles of lower levels.
levels-reward-replace = Members have only the role of the highest level they reached.
levels-reward-off = ⚠️ Rewards are switched off because Discord refused them repeatedly. Switch them on again with `/levels reward mode`.
levels-reward-no-permission = I lack the **Manage Roles** permission, so I cannot give roles. Please add it and try again.
levels-reward-above = This role is not below my highest role, so I cannot give it. Please move my role up and try again.
levels-reward-trouble = ⚠️ { $role }: { $why }
levels-reward-unknown = This role no longer exists.
levels-reward-everyone = Everyone already has this role.
levels-reward-not-given = This role belongs to an integration or to server boosting. Only Discord can give it.
levels-demotion-never = Members keep the roles of levels that they no longer have.
levels-demotion-undo = Members lose roles that I gave when the change of XP that raised their level is undone.
levels-demotion-always = Members lose roles that I gave whenever their level goes down.
levels-rejoin-on = Members who return get the roles of their level. If I cannot see who joins, they get them at their next level.
levels-rejoin-off = Members who return get no roles until their next level.
levels-sync-dry = { $members ->
        [one] One member
       *[other] { $count } members
    } would be checked. Nothing was changed.
levels-sync-started = Looking for members …
levels-sync-progress = Members done: { $done } of { $count }.
levels-sync-done = Done: { $members ->
        [one] one member has the roles of their level.
       *[other] { $count } members have the roles of their level.
    }
levels-sync-waiting = { $members ->
        [one] One member waits
       *[other] { $count } members wait
    } for a role that I cannot give. I will try again when the roles change, and every hour.
levels-sync-goes-on = Members done: { $done } of { $count }. The rest will follow, but I can no longer update this message.
levels-reset-sure = This resets the XP of **all members** of this server to 0. `/levels undo` can undo it. Are you sure?
levels-reset-yes = Yes, reset all XP
levels-reset-no = Cancel
levels-reset-kept = Nothing was changed.
levels-reset-runs = Resetting XP …
levels-reset-done = Done: { $members ->
        [one] one member now has
       *[other] { $count } members now have
    } 0 XP.
levels-mass-so-far = { $members ->
        [one] One member so far …
       *[other] { $count } members so far …
    }
levels-undo-nothing = There is no such change to undo.
levels-undo-runs = Undoing …
levels-undo-done = Undone for { $members ->
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
undo-line-of = { $what } · @{ $member } · by { $actor }
levels-show = { $seconds ->
        [0] Every message earns **{ $range }**.
        [one] A message earns **{ $range }**, at most once per second for each member.
       *[other] A message earns **{ $range }**, at most once every { $count } seconds for each member.
    }
xp-range-setting = XP per message
xp-cooldown-setting = Cooldown
xp-curve-setting = XP per level
xp-role-mode-setting = Several multipliers
xp-multiplier-setting = Multiplier
xp-boost-setting = Boost
rewards-mode-setting = Roles of lower levels
rewards-demotion-setting = Removal of roles
rewards-rejoin-setting = Roles for members who rejoin
rewards-level-setting = Level of the role
cards-colour-setting = Colour
levels-reward-level = level { $level }
levels-cooldown-shown = { $seconds ->
    [one] one second
   *[other] { $count } seconds
    }
levels-page-xp = XP
levels-page-rewards = Reward roles
levels-page-cards = Rank cards
levels-show-curve = Level 1 at { $one }, 10 at { $ten }, 50 at { $fifty }, 100 at { $hundred } XP.
levels-show-off = ⚠️ I turned this off myself: { $reason }
levels-show-text = What announcements say:
levels-show-ping = Announcements notify the member.
levels-show-no-ping = Announcements notify no one.
levels-show-departed-keep = Members who leave stay on the leaderboard.
levels-show-departed-hide = Members who leave are hidden from the leaderboard until they are back.
levels-show-departed-reset = Members who leave lose their XP.
levels-show-multipliers = Multipliers: { $list } (with several roles: { $mode })
error-foreign = Only the person who ran this command can use these controls. Please run it yourself.

settings-description = Show and change the settings of this server
settings-none = none
settings-panel = **Settings of this server**
    Log channel: { $log }
    Welcome channel: { $welcome }
    Language: { $language }
    Prefix of text commands: `{ $prefix }`
    Who warned a member: { $moderators }
settings-log-menu = Log channel: notices for moderators
settings-welcome-menu = Welcome channel: new members are greeted there
settings-language-menu = Language
settings-language-auto = Same as in Discord
settings-language-en = English
settings-language-de = German
settings-text-button = Welcome text
settings-text-label = Text
settings-text-hint = {"{"}user{"}"}, {"{"}user.name{"}"} and {"{"}server{"}"} are replaced.
settings-prefix-button = Prefix
settings-moderators-shown = the member sees it
settings-moderators-hidden = only moderators see it
settings-moderators-show = Show members who warned them
settings-moderators-hide = Hide who warned members
settings-prefix-label = Prefix
settings-prefix-hint = This only works if the bot's operator has enabled text commands.
settings-welcome-nowhere = Please choose the welcome channel first.
settings-section-menu = More settings
settings-pick-menu = Choose a setting to change
settings-back = Back
settings-on = On
settings-off = Off
settings-reset = Reset to default
settings-line = { $setting }: { $value }
settings-option-setting = setting
settings-option-setting-description = The setting to show or change
settings-option-value = value
settings-option-value-description = Its new value
settings-option-reset = reset
settings-option-reset-description = Reset it to its default
settings-no-setting = Please choose a setting too.
settings-unknown = There is no setting { $setting }: { $hint }
settings-bad-value = { $setting }: { $hint }
settings-value-and-reset = Please give a value or reset the setting, not both.
settings-not-here = This server has no such role or channel.
settings-fault-switch = it is on or off
settings-fault-limit = it is a whole number from 1 to { $most }, or off
settings-fault-text = it has at most { $most } characters
settings-fault-channel = it is a channel, by its ID or a mention
settings-fault-roles = it is a list of roles, by their IDs or mentions
settings-fault-roles-many = it has at most { $most } roles
log-settings = Logs
log-setting-channels = Log of locks and slow modes
log-setting-channels-hint = Otherwise they are in the log channel.
log-setting-members = Log of roles and nicknames
log-setting-members-hint = Otherwise they are in the log channel.
log-setting-messages = Log of deleted messages
log-setting-messages-hint = Otherwise they are in the log channel.
settings-fault-choice = it is one of { $words }
settings-fault-channel-or = it is one of { $words }, or a channel by its ID or a mention
settings-fault-mark = it has up to { $most } characters, without spaces, @, #, < and `
settings-page-title = Settings
settings-page-sections = Settings
settings-page-overview = Overview
settings-page-changed = { $n ->
        [0] nothing changed
       *[other] changed: { $count }
    }
settings-page-default = Default
settings-page-faults = Nothing was saved. Please correct the settings that are marked.
settings-page-saved = Saved.
settings-page-save = Save
settings-page-remove = Remove
settings-page-do = Apply
settings-page-choose = Please choose
settings-page-show-preview = Update previews
settings-page-preview = Preview
settings-page-placeholders = These are replaced:
settings-page-limit = 0 is off, the maximum is { $most }. Leave it empty for the default: { $default }.
settings-page-channel-none = None
settings-page-example-reason = Advertising
settings-page-example-until = in 3 days
settings-page-history = History
settings-page-history-empty = No settings have been changed yet.
settings-page-older = Older changes
settings-page-setting = Setting
settings-page-before = Before
settings-page-after = After
settings-page-by-member = { $name } on Discord
settings-page-by-web = { $name } on this website
settings-page-by-operator = The operator of the bot
settings-page-by-bot = The bot
settings-page-undo = Undo
settings-page-undo-of = Undo the change of { $time }
settings-page-undone = The change was undone.
settings-page-taken-back = This change was undone.
settings-page-undo-gone = A role or channel of the earlier settings no longer exists, so the change cannot be undone.
settings-page-undo-impossible = This setting cannot get its earlier value again: { $setting }
settings-page-undo-changed = These settings have been changed again since, so this change cannot be undone: { $settings }
settings-page-imported = The settings were changed.
settings-page-transfer = Export and import
settings-page-export = Export
settings-page-export-hint = The file contains what was chosen in this server, and the names of roles and channels.
settings-page-download = Download the settings
settings-page-import = Import
settings-page-document = Contents of an exported file
settings-page-document-hint = You see what would change before anything is saved.
settings-page-bad-file = This is not a file with exported settings.
settings-page-copy = Copy from another server
settings-page-from = Server
settings-page-continue = Continue
settings-page-confirm = Check the changes
settings-page-unused = These settings are left out: { $settings }
settings-page-names = Roles and channels
settings-page-leave-out = Leave out
settings-page-changes = Changes
settings-page-no-changes = Nothing would change.
settings-page-apply = Apply
settings-page-update = Update the list
settings-page-cancel = Cancel
server-settings = Server
server-setting-language = Language
server-setting-language-hint = The language of public messages.
server-setting-log-channel = Log channel
server-setting-log-channel-hint = Notices for moderators.
server-setting-welcome-channel = Welcome channel
server-setting-welcome-channel-hint = New members are greeted there.
server-setting-welcome-text = Welcome text
server-setting-welcome-text-hint = Used when there is a welcome channel.
server-setting-prefix = Prefix of text commands
server-setting-prefix-hint = This only works if the bot's operator has enabled text commands.
server-setting-moderators-shown = Show members who warned them
server-setting-moderators-shown-hint = Otherwise only moderators see it.
announcements-settings = Level-ups
announcements-setting-channel = Announcements
announcements-setting-channel-hint = Where a new level is announced.
announcements-setting-text = Text of announcements
announcements-setting-text-hint = What members read when they reach a level.
announcements-setting-ping = Notify the member
announcements-setting-ping-hint = Announcements mention members; this also notifies them.
announcements-setting-departed = XP of members who leave
announcements-setting-departed-hint = What happens to it, and to their place on the leaderboard.
announcements-place-off = No announcements
announcements-place-same-channel = In the channel of the message
announcements-place-direct = By direct message
announcements-departed-keep = Keep them on the leaderboard
announcements-departed-hide = Hide them until they return
announcements-departed-reset = Delete their XP
moderation-settings = Moderation
moderation-setting-protected-roles = Protected roles
moderation-setting-protected-roles-hint = Members with one of these roles cannot be warned or punished by commands.
moderation-setting-dm-warn = Direct message about warnings
moderation-setting-dm-warn-hint = Unless the moderator says otherwise.
warn-confirm = <@{ $user }> { $warnings ->
        [one] has one active warning already.
       *[other] has { $warnings } active warnings already.
    } Add this one?
warn-confirm-button = Warn anyway
moderation-protected = This member has a protected role (`/settings`).
moderation-setting-require-reason = Require a reason
moderation-setting-require-reason-hint = Bans, kicks and timeouts without a reason are refused.
moderation-setting-confirm-warnings = Active warnings that need a confirmation
moderation-setting-confirm-warnings-hint = A moderator is asked before warning a member who has this many.
moderation-setting-bans-per-hour = Bans per hour
moderation-setting-bans-per-hour-hint = The most bans of one moderator in an hour. More are refused and logged.
moderation-setting-kicks-per-hour = Kicks per hour
moderation-setting-kicks-per-hour-hint = The most kicks of one moderator in an hour. More are refused and logged.
moderation-setting-rejoin-alert = Cases that trigger an alert on return
moderation-setting-rejoin-alert-hint = For members with this many, or in timeout. Needs the operator's discord.member_events.
moderation-log-rejoined = 👀 <@{ $user }> is back, with { $cases ->
        [one] one case (**#{ $case }**)
       *[other] { $cases } cases (the newest is **#{ $case }**)
    }.
moderation-log-rejoined-timeout = 👀 <@{ $user }> is back, and in timeout until { $until }. { $cases ->
        [one] There is one case (**#{ $case }**).
       *[other] There are { $cases } cases (the newest is **#{ $case }**).
    }
moderation-setting-dm-timeout = Direct message about timeouts
moderation-setting-dm-timeout-hint = Unless the moderator says otherwise.
moderation-setting-dm-kick = Direct message about kicks
moderation-setting-dm-kick-hint = Unless the moderator says otherwise.
moderation-setting-dm-ban = Direct message about bans
moderation-setting-dm-ban-hint = Unless the moderator says otherwise.
moderation-setting-warn-message = Text about warnings
moderation-setting-warn-message-hint = With {"{"}user{"}"}, {"{"}server{"}"}, {"{"}case{"}"}, {"{"}reason{"}"} and {"{"}until{"}"}. Empty for the usual text.
moderation-setting-timeout-message = Text about timeouts
moderation-setting-timeout-message-hint = With {"{"}user{"}"}, {"{"}server{"}"}, {"{"}case{"}"}, {"{"}reason{"}"} and {"{"}until{"}"}. Empty for the usual text.
moderation-setting-kick-message = Text about kicks
moderation-setting-kick-message-hint = With {"{"}user{"}"}, {"{"}server{"}"}, {"{"}case{"}"} and {"{"}reason{"}"}. Empty for the usual text.
moderation-setting-ban-message = Text about bans
moderation-setting-ban-message-hint = With {"{"}user{"}"}, {"{"}server{"}"}, {"{"}case{"}"}, {"{"}reason{"}"} and {"{"}until{"}"}. Empty for the usual text.
moderation-setting-appeal = How to appeal
moderation-setting-appeal-hint = A text or link at the end of each of these messages.
moderation-setting-log-warnings = Log of warnings
moderation-setting-log-warnings-hint = Otherwise they are in the log channel.
moderation-setting-log-timeouts = Log of timeouts
moderation-setting-log-timeouts-hint = Otherwise they are in the log channel.
moderation-setting-log-kicks = Log of kicks
moderation-setting-log-kicks-hint = Otherwise they are in the log channel.
moderation-setting-log-bans = Log of bans
moderation-setting-log-bans-hint = Otherwise they are in the log channel.
moderation-setting-log-automod = Log of AutoMod
moderation-setting-log-automod-hint = Messages that it blocked. The bot needs the permission Manage Server for this.
automod-blocked = 🛡️ AutoMod blocked a message of <@{ $user }> in <#{ $channel }>.
moderation-setting-reports = Channel for reports
moderation-setting-reports-hint = Where /report goes. Members cannot report without one.
moderation-setting-report-replies = Tell members that a report is closed
moderation-setting-report-replies-hint = Members who reported get a direct message, without what was decided.
moderation-setting-appeals = Banned users can appeal on the website
moderation-setting-appeals-hint = They sign in and write to the staff. The message about a ban has the link.
moderation-setting-appeal-days = Days between two appeals of a user
moderation-setting-appeal-days-hint = Counted from the decision; off for no wait.
moderation-no-reason = This server requires a reason. Please add one.
moderation-limit = You have reached this server's limit for an hour ({ $most }). Please ask another moderator.
moderation-log-limit = ⚠️ <@{ $moderator }> reached the limit of { $most } for an hour: { $action } of <@{ $user }> was refused.
undo-description = Take back a change that a command made
undo-option-change = change
undo-option-change-description = What to undo; choose it from the list
undo-line = { $what } · by { $actor }
undo-gone = There is no such change to undo.
undo-changed = This was changed again since, so it cannot be undone.
undo-done = Undone: { $what }.
undo-settings = settings changed: { $settings }
undo-threshold-add = threshold added: { $threshold }
undo-threshold-remove = threshold removed: { $threshold }
scheduled-description = Show, change or cancel what is to happen later in this server
scheduled-list-description = Show what is to happen later, the next first
scheduled-cancel-description = Cancel something that is to happen later
scheduled-option-failed = failed
scheduled-option-failed-description = Show what failed instead, with the reason
scheduled-option-timer = timer
scheduled-change-description = Let something happen at another time
scheduled-option-timer-description = What to change or cancel; choose it from the list
scheduled-option-duration = duration
scheduled-option-duration-description = When it is to happen, counted from now, such as 2h or 7d
scheduled-title = **To happen later**
scheduled-title-failed = **Failed**
scheduled-title-retried = **Tried again**
scheduled-effect-retried = { $what }, since { $since }, after { $attempts ->
        [one] one failed attempt
       *[other] { $attempts } failed attempts
    }. { $failure }
scheduled-effect-mod-action = the action of case #{ $case } on <@{ $user }>
scheduled-effect-mod-lift = the end of the punishment in case #{ $case } of <@{ $user }>
scheduled-effect-punishment = the punishment of <@{ $user }> after the warning in case #{ $case }
scheduled-effect-timeout-lift = the end of the timeout of <@{ $user }> after the warning in case #{ $case }
scheduled-effect-channel-lock = the lock of <#{ $channel }>
scheduled-effect-channel-unlock = the end of the lock of <#{ $channel }>
scheduled-effect-channel-slowmode = the slow mode of <#{ $channel }>
scheduled-effect-channel-slowmode-end = the end of the slow mode in <#{ $channel }>
scheduled-effect-role-change = the change of a role of <@{ $user }>
scheduled-effect-nick-change = the nickname of <@{ $user }>
scheduled-effect-purge = the deletion of messages in <#{ $channel }>
scheduled-none = Nothing is scheduled in this server.
scheduled-none-failed = Nothing that was scheduled has failed.
scheduled-line = { $due }: { $what }
scheduled-line-retried = { $due }: { $what }. The last attempt failed, and it is retried: { $failure }
scheduled-line-failed = { $due }: { $what }. Failed: { $failure }
scheduled-unknown = a timer of the kind { $kind }
scheduled-choose = Please choose a timer from the list.
scheduled-fixed = This cannot be changed or cancelled.
scheduled-changed = Changed: { $what }, now { $due }.
scheduled-channel-lock-end-cancelled = Cancelled: <#{ $id }> stays locked until `/unlock`.
scheduled-channel-slowmode-end-cancelled = Cancelled: the slow mode of <#{ $id }> stays until `/slowmode` changes it.
scheduled-role-end-cancelled = Cancelled: the member keeps the role until `/role remove` takes it.
scheduled-gone = That is no longer scheduled: { $what }.
scheduled-log = 🗓️ <@{ $moderator }> cancelled: { $what }.
scheduled-log-changed = 🗓️ <@{ $moderator }> changed: { $what }, now { $due }.
scheduled-boost-removal = removal of an XP boost that has ended
scheduled-channel-lock-end = end of the lock of <#{ $id }>
scheduled-channel-slowmode-end = end of the slow mode in <#{ $id }>
scheduled-role-end = { $role ->
        [none] end of a role that was given for some time
       *[other] end of the role <@&{ $role }> of <@{ $user }>
    }
scheduled-massban-forget = removal of the record of a massban
scheduled-purge-forget = removal of the record of deleted messages
scheduled-tempban-end = { $user ->
        [none] end of the temporary ban in case #{ $id }
       *[other] end of the temporary ban of <@{ $user }> in case #{ $id }
    }
scheduled-timeout-renewal = { $user ->
        [none] extension of the long timeout in case #{ $id }
       *[other] extension of the long timeout of <@{ $user }> in case #{ $id }
    }
warn-description = Warn a member; each warning is a numbered case
warn-option-member = member
warn-option-member-description = The member to warn; use an ID if they have left
warn-option-reason = reason
warn-option-reason-description = The reason; the member sees it too
warn-option-severity = severity
warn-option-severity-description = How severe it is: low (1 point), medium (2) or high (3); low by default
warn-option-points = points
warn-option-points-description = Points from 0 to 100, in place of those of the severity
warn-option-expires = expires
warn-option-expires-description = When it expires: 7d, 12h, 2w 3d, never; 90d by default
warn-option-dm = dm
warn-option-dm-description = Whether the member gets a direct message; yes by default
warn-severity-low = low
warn-severity-medium = medium
warn-severity-high = high
warn-points = { $points ->
        [one] 1 point
       *[other] { $points } points
    }
warn-counting = { $warnings ->
        [one] One warning is active
       *[other] { $warnings } warnings are active
    }, with { $points }.
warn-expires = expires { $at }
warn-expires-never = never expires
warn-done = ⚠️ Case **#{ $case }**: <@{ $user }> was warned ({ $severity }, { $points }, { $expiry }).
    { $counting }
warn-crossed = ➡️ { $points } reached: **{ $action }**.
warn-crossed-until = ➡️ { $points } reached: **{ $action }** until { $until }.
warn-message-closed = ✉️ They do not accept direct messages from me, so they have not been notified.
warn-action-done = ✅ Done.
warn-action-gone = ℹ️ They have left the server, so there was nothing to do.
warn-action-failed = ⛔ It was not carried out: { $why }
warn-crossed-hindered = ⛔ { $points } reached, but the **{ $action }** was not carried out: { $why }
warn-direct = ⚠️ You were warned in **{ $server }** (case #{ $case }, { $severity }, { $points }, { $expiry }):
    { $reason }
warn-direct-by = You were warned by <@{ $moderator }>.
warn-bad-expiry = **{ $given }** is not a time that I understand. Examples: `90min`, `1.5h`, `7d`, `2w 3d` or `never`. It must be between one second and ten years.
warn-bad-reason = A reason must have 1 to 1,000 characters.
warn-bad-points = Points must be a number from 0 to 100.
warn-yourself = You cannot warn yourself.
warn-bot = I cannot be warned.
warn-owner = The owner of the server cannot be warned.
warn-above = You can only warn members whose highest role is below yours.

warnings-description = Show your warnings, or those of a member
warnings-option-member = member
warnings-option-member-description = Whose warnings to show; yours by default
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
warnings-removed-reason = Reason for removal: { $reason }
warnings-page = Page { $page } of { $pages }
warnings-foreign = These buttons belong to someone else. Use `/warnings` for a list of your own.
warnings-gone = This page no longer exists. Please use `/warnings` again.

case-description = Work with the cases of this server
case-view-description = Show a case with its notes
case-list-description = List cases
case-edit-description = Change the reason of a case, its moderator, or when its punishment ends
case-note-description = Add a note to a case
case-evidence-description = Keep a file as evidence of a case, in the log channel
case-hide-description = Hide a case from lists, or show it again
case-delete-description = Delete a case with its notes
case-option-member = member
case-option-member-description = Only cases about this member
case-option-moderator = moderator
case-option-moderator-description = Only cases of this moderator
case-option-kind = kind
case-option-kind-description = Only cases of this kind
case-option-with-hidden = hidden
case-option-with-hidden-description = Show hidden cases, too
case-option-hidden = hidden
case-option-hidden-description = Whether lists hide the case; yes by default
case-option-reason = reason
case-option-reason-description = The new reason
case-option-duration = duration
case-option-duration-description = How much longer it lasts, counted from now, such as 7d; "never" for a ban without an end
case-option-note = note
case-option-note-description = The text of the note
case-option-file = file
case-option-file-description = A picture, video, sound, text or PDF of up to 8 MB
case-kind-unknown = unknown kind
case-entry = **#{ $case }** · { $kind } · { $user } · { $at } by <@{ $moderator }>
case-removed-at = removed { $at }
case-hidden = hidden
case-view-title = Case #{ $case } · { $kind }
case-view-user = **Member:** { $who }
case-view-moderator = **Moderator:** { $who }
case-view-created = **Created:** { $at }
case-view-expires = **Expires:** { $at }
case-view-ends = **Ends:** { $at }
case-view-ended = **Ended:** { $at }
case-view-removed = **Removed:** { $at }
case-view-hidden = **Hidden:** { $at }
case-view-no-reason = No reason was given.
case-view-notes = **{ $notes ->
        [one] One note
       *[other] { $notes } notes
    }**
case-view-note = { $author } · { $at }: { $note }
case-view-retried = ⏳ Tried again since { $since }, after { $attempts ->
        [one] one failed attempt
       *[other] { $attempts } failed attempts
    }. { $why }
case-list-none = There are no such cases.
case-list-gone = This page no longer exists. Please run the command again.
case-list-page = Page { $page }
case-list-title = Cases
case-edited = ✏️ The reason of case **#{ $case }** was changed.
case-option-behalf = moderator
case-option-behalf-description = On whose behalf it was done; needs Manage Server
case-moderator-changed = 👤 Case **#{ $case }** is now a case of <@{ $behalf }>. Who made it stays on record.
case-behalf-powerless = <@{ $user }> lacks the **{ $permission }** permission, so this cannot be a case of theirs.
case-log-moderator = 👤 <@{ $moderator }> gave **case #{ $case }** about <@{ $user }> to <@{ $behalf }>.
case-view-acted-by = **Made by:** { $who }
case-note-expires = Links to files on Discord stop working after about a day. `/case evidence` keeps a file.
evidence-too-large = Files of more than 8 MB are not kept.
evidence-type = Only pictures, videos, sounds, texts and PDF files are kept.
evidence-no-log = This server has no log channel, so there is no place for the file. `/settings` chooses one.
evidence-taken = 📎 The file is being kept with case **#{ $case }**. A note on the case will link to it.
evidence-message = 📎 Evidence of **case #{ $case }**, from <@{ $moderator }>
evidence-gone = 📎 A file that <@{ $moderator }> gave as evidence of **case #{ $case }** could not be kept: Discord no longer has it.
evidence-log-failed = ❗ A file that <@{ $moderator }> gave as evidence of **case #{ $case }** could not be kept. { $why }
case-edit-nothing = Please give a new reason, a new duration, or a moderator.
case-away = they have left the server. It goes on when they are back.
case-end = ⏱️ Case **#{ $case }**: the { $kind } of <@{ $user }> now ends { $until }.
case-end-never = ⏱️ Case **#{ $case }**: the { $kind } of <@{ $user }> no longer ends by itself.
case-ended = Case **#{ $case }** has no ban or timeout that is still running, so its end cannot be changed. `/warning edit` changes when a warning expires.
case-needs-end = A timeout always ends by itself. Please give a duration.
case-noted = 📝 Your note was added to case **#{ $case }**.
case-is-hidden = 🙈 Case **#{ $case }** is hidden from lists.
case-is-shown = 👁️ Case **#{ $case }** appears in lists again.
case-deleted = 🗑️ Case **#{ $case }** about <@{ $user }> was deleted.
case-kept = The case was kept.
case-delete-sure = Delete this case with its notes? This cannot be undone. What was done on Discord stays done.
case-delete-yes = Delete
case-delete-no = Keep
case-running = The punishment of case **#{ $case }** has not ended, and its end needs the case. Lift the punishment first, or hide the case.
case-log-edit = ✏️ <@{ $moderator }> changed the reason of **case #{ $case }** about <@{ $user }>:
    { $text }
case-log-end = { $end } Changed by <@{ $moderator }>.
case-log-end-failed = ❗ **Case #{ $case }**: the end of the { $kind } of <@{ $user }> could not be changed, and stays as it was: { $why }
case-log-note = 📝 <@{ $moderator }> added a note to **case #{ $case }** about <@{ $user }>:
    { $text }
case-log-deleted = 🗑️ Case **#{ $case }** was deleted.
case-log-now-ended = 🔓 It ended { $at }.
case-log-now-gone = 🔓 It was lifted without a command; seen { $at }.
case-log-now-kept = ❗ It is still in force: { $why }
case-log-now-removed = 🗑️ Removed { $at } by <@{ $moderator }>
case-log-now-notes = 📝 { $notes ->
        [one] One note
       *[other] { $notes } notes
    }
case-log-now-hidden = 🙈 Hidden from lists
case-log-hide = 🙈 <@{ $moderator }> hid **case #{ $case }** about <@{ $user }> from lists.
case-log-show = 👁️ <@{ $moderator }> shows **case #{ $case }** about <@{ $user }> in lists again.
case-log-delete = 🗑️ <@{ $moderator }> deleted **case #{ $case }** about <@{ $user }>.

history-description = Show all cases of a member
history-option-member = member
history-option-member-description = The member; use an ID if they have left

modlog-description = Show the newest cases of this server

warning-description = Change warnings, and what happens at a number of points
warning-remove-description = Remove a warning; it stays visible as removed
warning-edit-description = Edit a warning; its previous version is kept
warning-threshold-description = Set what happens when a member reaches a number of points
warning-threshold-add-description = Add a threshold, or change the one with these points
warning-threshold-remove-description = Remove a threshold
warning-threshold-list-description = Show the thresholds
warning-option-case = case
warning-option-case-description = The number of the case
warning-option-why = reason
warning-option-why-description = Why it is removed
warning-option-reason = reason
warning-option-reason-description = Why the member was warned
warning-option-severity = severity
warning-option-severity-description = How severe it was; the points follow, unless you set them
warning-option-points = points
warning-option-points-description = Points from 0 to 100
warning-option-expires = expires
warning-option-expires-description = When it expires, counted from now: 7d, 12h, never
warning-option-threshold = points
warning-option-threshold-description = The number of points
warning-option-action = action
warning-option-action-description = What happens to the member
warning-option-duration = duration
warning-option-duration-description = How long a timeout lasts: 30m, 12h, 7d; at most 28 days
warning-option-window = window
warning-option-window-description = Count only warnings of the last N days; all active warnings by default
warning-action-timeout = timeout
warning-action-kick = kick
warning-action-ban = ban
warning-removed = 🗑️ Case **#{ $case }** of <@{ $user }> was removed.
warning-edited-points = Thresholds are checked when a warning is given, not when it is edited.
warning-timeout-runs = Its timeout runs until { $until }.
warning-lift = Lift the timeout
warning-lift-over = This timeout is already over.
warning-lifted = 🔊 The timeout of <@{ $user }> from case **#{ $case }** is being lifted.
warning-log-lifted = 🔊 **Case #{ $case }** · <@{ $moderator }> lifted the timeout of <@{ $user }>.
warning-audit-lift = Warning #{ $case } was removed
warning-edited = ✏️ Case **#{ $case }** of <@{ $user }> is now: { $severity }, { $points }, { $expiry }.
    { $reason }
warning-nothing = Choose what to change: reason, severity, points or expires.
warning-unknown = There is no case **#{ $case }** in this server.
warning-gone = Case **#{ $case }** was already removed.
warning-own = You cannot change a case about yourself.
warning-threshold-line = **{ $points }**: { $action }
warning-threshold-span = { $action } for { $span }
warning-threshold-window = { $threshold } (only warnings of the last { $days ->
        [one] day
       *[other] { $days } days
    })
warning-threshold-added = ✅ Added: { $threshold }
warning-threshold-replaced = ✅ Changed: { $threshold }
warning-threshold-powerless = I lack the **{ $permission }** permission, so nothing will happen until you add it.
warning-threshold-removed = 🗑️ Removed: { $threshold }
warning-page-thresholds = Warning thresholds
warning-threshold-none = There are no thresholds yet. Add one with `/warning threshold add`.
warning-threshold-unknown = There is no threshold with { $points }.
warning-threshold-many = A server can have at most 20 thresholds. Remove one first.
warning-threshold-needs-duration = A timeout needs a duration, such as `12h`.
warning-threshold-no-duration = Only a timeout can have a duration.
warning-threshold-bad-duration = **{ $given }** is not a valid duration for a timeout. Examples: `30m`, `1.5h` or `7d`. It must be between one minute and 28 days.
warning-log-warned = ⚠️ **Case #{ $case }** · <@{ $user }> was warned by <@{ $moderator }> ({ $severity }, { $points }, { $expiry }):
    { $reason }
    { $counting }
warning-log-state = { $severity }, { $points }, { $expiry }
    { $reason }
warning-log-edited = ✏️ **Case #{ $case }** of <@{ $user }> was changed by <@{ $moderator }>.
    Before: { $before }
    Now: { $after }
warning-log-removed = 🗑️ **Case #{ $case }** of <@{ $user }> ({ $points }) was removed by <@{ $moderator }>:
    { $reason }
warning-log-no-reason = > no reason given
warning-log-threshold-added = ⚙️ <@{ $moderator }> set a threshold: { $threshold }
warning-log-threshold-removed = ⚙️ <@{ $moderator }> removed a threshold: { $threshold }
warning-log-failed = ❗ **Case #{ $case }**: the { $action } of <@{ $user }> was not carried out: { $why }
warning-obstacle-permission = I lack the permission for it. Please allow me to time out, kick or ban members.
warning-obstacle-owner = they own the server.
warning-obstacle-above = their highest role is not below mine. Please move my role above it.
warning-obstacle-administrator = administrators cannot be timed out.
warning-obstacle-refused = Discord refused it.
warning-obstacle-late = Discord could not be reached for too long.
warning-obstacle-other = Discord did not accept it.
warning-audit-log = Warning, case #{ $case }: { $points } reached

levels-departed-description = Choose what happens to XP when a member leaves or is banned
levels-option-fate-description = What happens to their XP
levels-option-fate-keep = they stay on the leaderboard
levels-option-fate-hide = they are hidden until they return
levels-option-fate-reset = their XP is reset
levels-departed-keep = From now on, members who leave stay on the leaderboard.
levels-departed-hide = From now on, members who leave are hidden from the leaderboard until they return.
levels-departed-reset = From now on, members who leave lose their XP.

announce-default = GG {"{"}user{"}"}, you just advanced to level {"{"}level{"}"}!
welcome-default = Welcome to {"{"}server{"}"}, {"{"}user{"}"}!

notice-announcements-off = ⚠️ I stopped announcing level-ups after repeated failures: { $reason }. Let me see the channel and send messages there, then switch announcements on again (`/levels announce`).
notice-channel-skipped = ⚠️ I no longer announce level-ups in { $channel } after repeated failures: { $reason }. Let me see the channel and send messages there; I try again from time to time.
notice-rewards-off = ⚠️ I stopped giving reward roles after repeated failures: { $reason }. I need the permission to manage roles, and my highest role must be above every reward; then switch rewards on again (`/levels reward mode`).
notice-reward-blocked = ⚠️ I cannot give the reward role { $role }: { $reason }. Other rewards are not affected. I will try again when the roles change, and every hour.
notice-reward-gone = ℹ️ The role { $role }, the reward for level { $level }, was deleted. I have removed it from the rewards.

case-kind-warning = warning
case-kind-ban = ban
case-kind-tempban = temporary ban
case-kind-softban = softban
case-kind-unban = unban
case-kind-kick = kick
case-kind-timeout = timeout
case-kind-untimeout = end of the timeout
case-kind-note = note
ban-description = Ban a user, also one who is not in the server
tempban-description = Ban a user for some time
softban-description = Remove a member and their recent messages; they can rejoin
unban-description = Lift a ban
kick-description = Remove a member; they can rejoin
timeout-description = Time out a member, also for longer than 28 days
untimeout-description = Lift a timeout
action-option-user = user
action-option-user-description = The user to ban; use an ID for someone who is not in the server
softban-option-user = user
softban-option-user-description = The member to remove
unban-option-user = user
unban-option-user-description = The user whose ban to lift; use their ID
kick-option-member = member
kick-option-member-description = The member to remove
timeout-option-member = member
timeout-option-member-description = The member to time out
untimeout-option-member = member
untimeout-option-member-description = The member whose timeout to lift
tempban-option-duration = duration
tempban-option-duration-description = How long the ban lasts: 12h, 7d, 2w 3d, 6 months
timeout-option-duration = duration
timeout-option-duration-description = How long the timeout lasts: 10m, 12h, 7d, 2 months
action-option-reason = reason
action-option-reason-description = The reason; the member and Discord's audit log see it too
action-option-dm = dm
action-option-dm-description = Whether the member gets a direct message; yes by default
action-option-evidence = evidence
action-option-evidence-description = A file to be kept with the case, in the log channel
ban-option-delete = delete_messages
ban-option-delete-description = Which of their messages to delete; none by default
softban-option-delete = delete_messages
softban-option-delete-description = Which of their messages to delete; those of the last day by default
ban-delete-none = None
ban-delete-1h = Last hour
ban-delete-6h = Last 6 hours
ban-delete-12h = Last 12 hours
ban-delete-1d = Last 24 hours
ban-delete-3d = Last 3 days
ban-delete-7d = Last 7 days
ban-menu = Ban
timeout-menu = Timeout
warn-menu = Warn
history-menu = History
form-reason = Reason
form-reason-hint = The member and Discord's audit log see it, too.
form-duration = Duration
form-duration-timeout-hint = For example 30m, 12h or 7d.
form-duration-ban-hint = For example 12h or 7d; empty for a ban without an end.
action-done = 🛡️ Case **#{ $case }**: **{ $kind }** of <@{ $user }>.
action-done-until = 🛡️ Case **#{ $case }**: **{ $kind }** of <@{ $user }> until { $until }.
action-pending = ⏳ It is on its way to Discord.
action-retried = ⏳ Discord does not accept it at the moment. I keep trying.
action-replaced = ℹ️ A newer case has replaced this one.
action-not-banned = They are not banned.
action-not-in-timeout = They are not in timeout.
action-no-member = They are not in this server.
action-yourself = You cannot do that to yourself.
action-bot = You cannot do that to me.
action-owner = You cannot do that to the owner of the server.
action-above = You can only do that to members whose highest role is below yours.
action-powerless = I need the **{ $permission }** permission to do that.
action-bad-duration = **{ $given }** is not a valid duration. Examples: `30m`, `1.5h`, `7d` or `2w 3d`. It must be between one minute and ten years.
action-direct-ban = 🔨 You were banned from **{ $server }** (case #{ $case }):
action-direct-tempban = 🔨 You were banned from **{ $server }** until { $until } (case #{ $case }):
action-direct-softban = 👢 You were removed from **{ $server }** together with your recent messages. You can rejoin (case #{ $case }):
action-direct-kick = 👢 You were removed from **{ $server }** (case #{ $case }):
action-direct-timeout = 🔇 You are in timeout in **{ $server }** until { $until } (case #{ $case }):
action-direct-other = 🛡️ There is a case about you in **{ $server }** (case #{ $case }):
action-direct-end = 🕓 Your { $kind } in **{ $server }** now ends { $until } (case #{ $case }).
action-direct-end-never = 🕓 Your { $kind } in **{ $server }** no longer ends by itself (case #{ $case }).
action-direct-by = The moderator was <@{ $moderator }>.
action-direct-appeal = You can appeal here: { $url }
action-log = { $summary } Moderator: <@{ $moderator }>
    { $reason }
action-log-ended = 🔓 **Case #{ $case }**: the { $kind } of <@{ $user }> has ended.
action-log-not-lifted = ❗ **Case #{ $case }**: the { $kind } of <@{ $user }> has ended, but it could not be lifted: { $why }
action-audit = Case #{ $case } by { $moderator }: { $reason }
action-audit-no-reason = Case #{ $case } by { $moderator }
action-audit-ended = Case #{ $case }: the { $kind } has ended
action-audit-softban = Case #{ $case }: a softban's ban is lifted at once

lock-description = Close a channel or category to members
lock-option-channel = channel
lock-option-channel-description = The channel or category; this channel by default
lock-option-duration = duration
lock-option-duration-description = When it opens again, such as 30m or 2h; until /unlock by default
lock-runs = Locking <#{ $channel }>…
lock-done = 🔒 <#{ $channel }> is locked, { $until }. `/unlock` opens it.
lock-already = <#{ $channel }> is already locked, { $until }. Use `/unlock` first to change that.
lock-log-locked = 🔒 <#{ $channel }> was locked by <@{ $moderator }>, { $until }.
    { $reason }
lock-log-unlocked = 🔓 <#{ $channel }> was unlocked by <@{ $moderator }>.
    { $reason }
lock-log-over = 🔓 <#{ $channel }> is open again: the time of its lock is over.
lock-log-not-locked = ⚠️ <#{ $channel }> could not be locked. { $why }
lock-log-failed = ⚠️ <#{ $channel }> could not be unlocked. { $why } `/unlock` tries it again.
lock-audit-over = The time of the lock is over

unlock-description = Open a channel that the bot has locked
unlock-option-channel = channel
unlock-option-channel-description = The channel or category; this channel by default
unlock-runs = Unlocking <#{ $channel }>…
unlock-done = 🔓 <#{ $channel }> is open again. Permissions that were changed meanwhile stay as they are.{ $until }
unlock-not-locked = I have not locked <#{ $channel }>, so I cannot tell how its permissions should be.

slowmode-description = Limit how often members can write in a channel
slowmode-option-duration = duration
slowmode-option-duration-description = Time between two messages of a member, up to 6h; 0 for none
slowmode-option-for = for
slowmode-option-for-description = How long this applies, such as 1h; then the slow mode from before returns
slowmode-option-channel = channel
slowmode-option-channel-description = The channel or thread; this channel by default
slowmode-off = off
slowmode-runs = Changing the slow mode of <#{ $channel }>…
slowmode-done = ⏱️ The slow mode of <#{ $channel }> is now: { $until }.
slowmode-no-channel = This channel has no slow mode.
slowmode-log = ⏱️ The slow mode of <#{ $channel }> was changed by <@{ $moderator }>: { $slowmode }, { $until }.
    { $reason }
slowmode-log-failed = ⚠️ The slow mode of <#{ $channel }> could not be changed. { $why }
slowmode-log-stays = ⚠️ The slow mode of <#{ $channel }> could not be changed back. { $why }
slowmode-audit-over = The time of the slow mode is over

channels-option-reason = reason
channels-option-reason-description = Why; shown in the log channel and in Discord's audit log
channels-open-end = until it is changed
channels-until = until { $until }
channels-no-reason = No reason was given.
channels-waiting = Discord or the database is slow at the moment. <#{ $channel }> will be changed as soon as possible; the log channel will show it.
channels-failed = <#{ $channel }> was not changed. { $why }

error-done-before = This has already been done.
error-long-reason = The reason is too long. Please use at most 400 characters.
error-bad-duration = **{ $given }** is not a duration that I understand. Examples: `30m`, `2h` or `1d12h`.
error-duration-bounds = The duration must be between { $min } and { $max }.
permission-view-channel = View Channel
permission-send-messages = Send Messages
permission-send-in-threads = Send Messages in Threads
permission-create-public-threads = Create Public Threads
permission-create-private-threads = Create Private Threads
permission-read-history = Read Message History
permission-connect = Connect
trouble-asker-lacks = The moderator lacks the **{ $permission }** permission.
trouble-asker-below = The moderator's highest role is not above it.
trouble-bot-lacks = I lack the **{ $permission }** permission there. Please give it to my role.
trouble-bot-below = My highest role is not above it. Please move my role up.
trouble-owner = Discord does not let me change the owner of the server.
trouble-managed = This role belongs to an integration, which alone gives it.
trouble-no-role = This role no longer exists.
trouble-no-channel = This channel does not exist, or I do not see it.
trouble-thread = Only channels and categories can be locked. A thread follows its channel.
trouble-no-member = They are not a member of this server.
trouble-closed = Members cannot write there anyway.
trouble-refused = Discord refused it.
trouble-gone = Discord no longer knows it.
trouble-unavailable = Discord is not available at the moment.
trouble-late = Discord could not be reached for too long.
trouble-other = Discord did not accept it.

role-description = Give a member a role or take it
role-add-description = Give a member a role
role-remove-description = Take a role from a member
role-temp-description = Give a member a role for some time
role-option-member = member
role-option-member-description = The member
role-option-role = role
role-option-role-description = The role; it must be below yours and mine
role-option-duration = duration
role-option-duration-description = For how long, such as 2h or 7d; a new duration replaces an earlier one
role-runs = Changing the roles of <@{ $user }>…
role-given = <@{ $user }> has the role <@&{ $role }> now.
role-lent = <@{ $user }> has the role <@&{ $role }> until { $until }.
role-taken = <@{ $user }> no longer has the role <@&{ $role }>.
role-failed = The roles of <@{ $user }> were not changed: <@&{ $role }>. { $why }
role-above = Your highest role must be above <@&{ $role }>.
role-audit-over = The time of the role is over
role-log-given = <@{ $moderator }> gave <@{ $user }> the role <@&{ $role }>.
    { $reason }
role-log-lent = <@{ $moderator }> gave <@{ $user }> the role <@&{ $role }> until { $until }.
    { $reason }
role-log-taken = <@{ $moderator }> took the role <@&{ $role }> from <@{ $user }>.
    { $reason }
role-log-not-given = ⚠️ <@{ $user }> did not get the role <@&{ $role }>. { $why }
role-log-not-taken = ⚠️ <@{ $user }> still has the role <@&{ $role }>. { $why }

nick-description = Change or remove the nickname of a member
nick-option-member = member
nick-option-member-description = The member
nick-option-nickname = nickname
nick-option-nickname-description = The new nickname; leave it out to remove the present one
nick-bot = I cannot change my own nickname with this. You can in the server's member list.
nick-runs = Changing the nickname of <@{ $user }>…
nick-done = The nickname of <@{ $user }> is changed.
nick-failed = The nickname of <@{ $user }> was not changed. { $why }
nick-log-changed = <@{ $moderator }> changed the nickname of <@{ $user }> to **{ $name }**.
    { $reason }
nick-log-removed = <@{ $moderator }> removed the nickname of <@{ $user }>.
    { $reason }
nick-log-failed = ⚠️ The nickname of <@{ $user }> was not changed. { $why }

roles-option-reason = reason
roles-option-reason-description = Why; shown in the log channel and in Discord's audit log
roles-no-reason = No reason was given.
roles-waiting = Discord or the database is slow at the moment. <@{ $user }> will be changed as soon as possible; the log channel will show a failure.
trouble-everyone = Everyone has this role.

purge-description = Delete messages of this channel
purge-option-count = count
purge-option-count-description = How many messages to delete at most, the newest first
purge-option-user = user
purge-option-user-description = Only messages of this user
purge-option-bots = bots
purge-option-bots-description = Only messages of bots and webhooks
purge-option-links = links
purge-option-links-description = Only messages with links
purge-option-invites = invites
purge-option-invites-description = Only messages with invites to servers
purge-option-attachments = attachments
purge-option-attachments-description = Only messages with files
purge-option-embeds = embeds
purge-option-embeds-description = Only messages with embeds
purge-option-contains = contains
purge-option-contains-description = Only messages with this text
purge-option-regex = regex
purge-option-regex-description = Only messages that match this regular expression
purge-option-before = before
purge-option-before-description = Only messages before this one: its ID or link
purge-option-after = after
purge-option-after-description = Only messages after this one: its ID or link
purge-option-keep-pinned = keep_pinned
purge-option-keep-pinned-description = Whether pinned messages stay; they do by default
purge-option-reason = reason
purge-option-reason-description = Why; shown in Discord's audit log
purge-menu = Purge from here
purge-nothing = None of the last 1,000 messages matches and can be deleted.
purge-sure = { $messages ->
        [one] One message matches.
       *[other] { $count } messages match.
    } Delete them? This cannot be undone.
purge-yes = Delete
purge-no = Cancel
purge-kept = Nothing was deleted.
purge-confirmed = Deleting the messages…
purge-runs = { $messages ->
        [one] Deleting one message…
       *[other] Deleting { $count } messages…
    }
purge-so-far = Deleted { $done } of { $all } so far…
purge-done = { $messages ->
        [one] One message was deleted.
       *[other] { $count } messages were deleted.
    }
purge-failed = { $messages ->
        [one] One message was deleted, then it stopped.
       *[other] { $count } messages were deleted, then it stopped.
    } { $why }
purge-too-old = { $messages ->
        [one] One message was skipped, because it is older than 14 days.
       *[other] { $count } messages were skipped, because they are older than 14 days.
    }
purge-waiting = This is still running. The log channel will show when it is done.
purge-no-content = Filters by content need the Message Content Intent, which the bot's operator has not enabled. The filters `user`, `bots`, `before` and `after` work without it.
purge-bad-regex = This is not a regular expression that I can use, or it is too large.
purge-bad-message = Please give the ID of a message, or its link.
purge-log = <@{ $moderator }> deleted { $messages ->
        [one] one message
       *[other] { $count } messages
    } in <#{ $channel }>.
purge-log-failed = ⚠️ Deleting messages in <#{ $channel }> stopped. { $why }

by-hand-ban = 🔨 **Case #{ $case }** · <@{ $user }> was banned by <@{ $moderator }>, without a command:
    { $reason }
by-hand-tempban = 🔨 **Case #{ $case }** · <@{ $user }> was banned until { $until } by <@{ $moderator }>, without a command:
    { $reason }
by-hand-unban = 🔓 **Case #{ $case }** · <@{ $moderator }> lifted the ban of <@{ $user }>, without a command:
    { $reason }
by-hand-kick = 👢 **Case #{ $case }** · <@{ $user }> was kicked by <@{ $moderator }>, without a command:
    { $reason }
by-hand-timeout = 🔇 **Case #{ $case }** · <@{ $user }> is in timeout until { $until } by <@{ $moderator }>, without a command:
    { $reason }
by-hand-untimeout = 🔊 **Case #{ $case }** · <@{ $moderator }> lifted the timeout of <@{ $user }>, without a command:
    { $reason }

statistics-settings = Statistics
statistics-setting-enabled = Count messages, commands and members
statistics-setting-enabled-hint = By channel and hour, and the XP of members by week, for the website. Off by default.
statistics-setting-days = Days to keep counts
statistics-setting-days-hint = After this many days, counts are deleted. Off keeps them.

web-skip = Skip to the content
web-navigation = Website
web-server-navigation = Server
web-footer = Eventide counts every message exactly once.
web-home = To the first page
web-home-title = Eventide
web-home-text = The website of this bot: leaderboards that servers have made public, and, for those who run a server, its pages.
web-servers = Servers
web-servers-none = There is no server with this bot in which you can change something.
web-servers-id = A server's ID, if it is not listed
web-servers-open = Open
web-sign-in = Sign in with Discord
web-sign-in-title = Signing in
web-sign-in-stale = This sign-in has expired or belongs to another browser. Please begin again.
web-sign-in-refused = You have not signed in, because you declined it on Discord.
web-sign-in-failed = Discord did not confirm who you are. Please try again later; if this persists, the bot's operator can find the reason in the log.
web-sign-out = Sign out
web-sign-out-everywhere = Sign out on all devices
web-error-title = This does not work
web-error-not-found = There is no such page, or you cannot see it.
web-error-permission = For this page you need the permission “{ $permission }” in this server.
web-error-foreign = This form is from another session or another website, so nothing was changed. Go back, reload the page and try again.
web-error-old = This page was opened more than 15 minutes ago, so nothing was changed. Please reload it and try again.
web-error-too-long = What you sent is too long.
web-error-too-many = You have sent many requests. Please wait a moment.
web-error-away = The page cannot be shown right now. Please try again in a moment.
web-error-discord = Discord does not answer right now. Please try again in a moment.

web-any = any
web-at = Time
web-kind = Kind
web-member = Member
web-member-id = Member's ID
web-moderator = Moderator
web-moderator-id = Moderator's ID
web-reason = Reason
web-reason-with = Reason contains
web-search = Search
web-pages = Pages
web-newest = Newest
web-older = Older
web-period = Period
web-days = { $days ->
        [one] 1 day
       *[other] { $days } days
    }
web-amount = Number
web-bad-id = An ID consists of 17 to 19 digits.
web-bad-kind = There is no such kind of case.
web-sure = Are you sure?
web-filter = Filter
web-bad-page = There is no such page.
web-bad-order = There is no such order. Choose xp, messages or week.
web-bad-period = There is no such period. Choose 1, 7, 30, 90 or 365 days.
web-chart-table = Show as a table
web-chart-empty = Nothing was counted in this period.

web-cases = Cases
web-case = Case
web-cases-hidden = Hidden cases
web-cases-without-hidden = not shown
web-cases-with-hidden = shown
web-case-is-removed = removed
web-case-expires = Expires
web-case-ends = Ends
web-case-ended = Ended
web-case-removed = Removed
web-case-removed-why = Reason for the removal
web-case-hidden-at = Hidden
web-case-notes = Notes
web-case-changes = Changes
web-case-reason-before = The reason before:
web-member-history = Cases of { $user }
web-moderators = Moderator activity
web-reports = Reports
web-reports-none = There are no such reports.
web-reports-state = State
web-reports-open = open
web-reports-closed = closed
web-reports-reporter-id = ID of who reported
web-report = Report
web-report-about = Report about { $user }
web-report-entries = What members wrote
web-report-message = Message
web-report-message-open = Open in Discord
web-report-react = React
web-report-members = { $members ->
        [one] 1 member
       *[other] { $members } members
    }
web-appeals = Appeals
web-appeals-none = There are no such appeals.
web-appeal = Appeal
web-appeal-of = Appeal by { $user }
web-appeal-text = What the user wrote
web-appeal-votes = Votes
web-appeal-vote = Your vote
web-appeal-for = For lifting the ban
web-appeal-against = Against it
web-appeal-counted = { $for } for, { $against } against
web-appeal-decide = Decision
web-appeal-answer = Answer
web-appeal-answer-hint = The user reads it when signed in. If you lift the ban, it is also the reason of the case.
web-appeal-accept = Lift the ban
web-appeal-decline = Decline
web-appeal-accepted = accepted by { $moderator }
web-appeal-declined = declined by { $moderator }
appeal-title = Appeal to { $server }
appeal-text = Why should your ban be lifted?
appeal-text-hint = The staff of the server reads it. You can write up to 1,000 characters, and change nothing afterwards.
appeal-send = Send
appeal-bad = Please write between 1 and 1,000 characters.
appeal-done = The staff has your appeal. This page shows the decision.
appeal-open = The staff has not decided your appeal yet. This page shows the decision.
appeal-too-early = You can appeal again from { $at }.
appeal-not-banned = You are not banned from this server.
appeal-yours = Your appeals
appeal-answer = Answer of the staff:
appeal-accepted = accepted
appeal-declined = declined
appeal-voted = Your vote is counted.
appeal-is-declined = The appeal is declined.
appeal-closed = This appeal is decided already.
appeal-log = 📨 <@{ $user }> appeals against their ban: { $link }
appeal-log-declined = 📨 <@{ $moderator }> declined the appeal of <@{ $user }>.
appeal-log-ended = 📨 The appeal of <@{ $user }> is closed: { $why }
appeal-ended = closed, because your ban has ended
appeal-ended-by-hand = { $moderator } lifted the ban in Discord
appeal-ended-expired = the ban has ended
appeal-ended-undone = { $moderator } took back the massban

web-audit = Audit log
web-audit-none = There are no such entries.
web-audit-action = Action
web-audit-actor = By
web-audit-actor-id = ID of who did it
web-audit-details = Details
web-audit-before = Before
web-audit-undone = undone
web-audit-by-command = command
web-audit-by-web = website
web-audit-by-cli = the bot's operator
web-audit-by-bot = the bot

web-scheduled = Scheduled
web-scheduled-due = Time
web-scheduled-what = What happens
web-scheduled-failure = Last failure
web-scheduled-retried = Fails, and is retried
web-scheduled-failed = Failed
web-scheduled-change = Change
web-scheduled-change-of = Change: { $what }
web-scheduled-cancel = Cancel
web-scheduled-cancel-of = Cancel: { $what }
web-scheduled-duration = New time from now, such as 2h or 7d: { $what }
web-scheduled-duration-example = 2h, 7d

web-statistics = Statistics
web-statistics-off = This server does not count at present. Switch statistics on in the settings.
web-statistics-hours = Messages by hour of the day
web-statistics-channels = Messages by channel
web-statistics-commands = Commands
web-statistics-members-hint = Members who join or leave are counted only if the bot's operator has enabled the Server Members Intent. Times are in UTC.
web-statistics-csv = Download as CSV
web-messages = Messages
web-commands = Commands
web-joins = Members who joined
web-leaves = Members who left
web-channel = Channel
web-command = Command

web-api = API
web-api-text = With a token, programs can read data of this server as JSON.
web-api-description = Description of the API (OpenAPI)
web-api-made = This is the new token. Copy it now, because it is not shown again.
web-api-name = Name
web-api-parts = Can read
web-api-by = By
web-api-revoke = Revoke
web-api-new = New token
web-api-create = Create
web-api-part-leaderboard = Leaderboard
web-api-part-cases = Cases
web-api-part-statistics = Statistics
web-api-bad-name = A token needs a name of at most 50 characters.
web-api-bad-parts = Choose what the token can read.
web-api-many = This server has 20 tokens, which is the maximum. Revoke one first.

web-operators = Operation
web-leaderboard = Leaderboard
web-leaderboard-title = Leaderboard of { $server }
web-leaderboard-orders = Order
web-leaderboard-search = Member, by the beginning of the name
web-leaderboard-search-button = Search
web-leaderboard-rank = Rank
web-leaderboard-member = Member
web-leaderboard-level = Level
web-leaderboard-xp = XP
web-leaderboard-messages = Messages
web-leaderboard-empty = No one is on this leaderboard yet.
web-leaderboard-none = No member on this leaderboard has a name that begins like this.
web-leaderboard-preview = Who has the most XP and messages in this server.
web-leaderboard-members = Only members of this server see this page.
web-leaderboard-off = Only you and others who manage this server see this page. The setting is in the section Levels.
web-member-weeks = XP by week
web-member-week = Week from
web-member-week-running = { $day } (so far)
web-member-weeks-hint = Weeks begin on Monday (UTC). XP that staff gave, took or imported counts in the week in which they did so.
web-member-unnamed = Member …{ $id }
web-first = First page
web-previous = Previous page
web-next = Next page
levels-settings = Levels
levels-setting-leaderboard = Leaderboard on the website
levels-setting-leaderboard-hint = Who sees it. Members can hide themselves with /privacy hide.
levels-visibility-off = no one
levels-visibility-members = members
levels-visibility-public = everyone

massban-description = Ban up to 200 users at once, after a preview
massban-option-users = users
massban-option-users-description = IDs or mentions, separated by spaces or commas
massban-nobody = There is no ID and no mention of a user in this list.
massban-too-many = These are { $count } users. At most 200 can be banned at once.
massban-checking = Checking { $count } users…
massban-checked = Checked { $done } of { $all } users…
massban-sure = { $users ->
        [one] **One user** can be banned.
       *[other] **{ $count } users** can be banned.
    } They get no direct message. Ban them?
massban-none = None of these users can be banned.
massban-not = ⛔ { $users }: { $why }
massban-yes = Ban
massban-tell = Ban and tell them
massban-no = Cancel
massban-stop = Stop
massban-kept = No one was banned.
massban-begun = Banning the users…
massban-so-far = { $done } of { $all } users so far…
massban-stopping = Stopping after the current users…
massban-done = 🔨 { $banned } of { $all } users were banned at once (cases #{ $first } to #{ $last }).
massban-ended = 🛑 { $banned } of { $all } users were banned at once (cases #{ $first } to #{ $last }), then it ended: { $why }
massban-undo = Lift these bans
massban-undo-hint = The button lifts all of these bans within a day, and `/unban` lifts one of them.
massban-undo-none = None of these bans is still in force.
massban-undo-late = This massban is not over yet, or it was more than a day ago. `/unban` lifts a ban.
massban-undo-waiting = This is still running. `/case list` shows what became of each ban.
massban-undoing = Lifting the bans…
massban-undone = ♻️ { $lifted } of { $all } bans were lifted (cases #{ $first } to #{ $last }).
massban-log-undone = ♻️ <@{ $moderator }> lifted { $users ->
        [one] the ban
       *[other] { $users } bans
    } of a massban (cases #{ $first } to #{ $last }).
massban-waiting = This is still running. The log channel will show when it is done.
massban-audit = Massban by { $moderator }: { $reason }
massban-log-by = Moderator: <@{ $moderator }>
massban-log-limit = ⚠️ <@{ $moderator }> wanted to ban { $users ->
        [one] one user
       *[other] { $users } users
    } at once, above the limit of { $most } for an hour. It was refused.
massban-why-you = this is you.
massban-why-me = this is me.
massban-why-unknown = there is no such user.
massban-why-banned = already banned.
massban-why-protected = a protected role.
massban-why-wrong = not an ID or mention of a user.
massban-why-stopped = it was stopped.
massban-why-moderator = the moderator lost the permission.

report-description = Report a member to the staff of this server
report-menu = Report message
report-option-member = member
report-option-member-description = Whom to report
report-option-reason = reason
report-option-reason-description = What happened; only the staff sees it
report-option-message = message
report-option-message-description = The link of the message, if it is about one
report-reason-hint = What is wrong with this message? Only the staff sees it.
report-off = This server takes no reports.
report-broken = Reports do not reach the staff at the moment. Please write to them directly.
report-yourself = You cannot report yourself.
report-me = You cannot report me.
report-bad-link = Please give the link of a message in this server.
report-done = 🚩 Thank you. The staff has your report, and only they can see it.
report-again = You have reported this message already. The staff will look at it.
report-too-many = You can make { $most } reports in an hour. Please write to the staff directly if it is urgent.
report-title = 🚩 **Report** about <@{ $user }>
report-message = Message: { $link }
report-by = By <@{ $user }> { $at }:
    { $reason }
report-more = { $members ->
        [one] One more member reported it, too.
       *[other] { $members } more members reported it, too.
    }
report-claim = Claim
report-release = Release
report-dismiss = Dismiss
report-warn = Warn
report-timeout = Timeout
report-ban = Ban
report-claimed = 👀 Claimed by <@{ $moderator }>.
report-dismissed = ✅ Dismissed by <@{ $moderator }>.
report-acted = ✅ Closed by <@{ $moderator }> with case #{ $case }.
report-is-claimed = You have claimed this report.
report-is-released = The report is no longer claimed.
report-is-dismissed = The report is dismissed.
report-closed = This report is closed already.
report-own = This report is about you. Another moderator has to look at it.
report-log-failed = ❗ A report about <@{ $user }> could not be shown in <#{ $channel }>. { $why }
report-direct-closed = 🚩 The staff of **{ $server }** has looked at your report. Thank you.
