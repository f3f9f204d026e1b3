//! Names and texts for people, servers and messages.

pub(super) const ADJECTIVES: [&str; 32] = [
    "amber", "brave", "calm", "dusty", "early", "fuzzy", "gentle", "hollow", "icy", "jolly", "keen", "lucky",
    "mellow", "noisy", "odd", "proud", "quiet", "rapid", "silent", "tiny", "urban", "vivid", "wild", "young",
    "zesty", "bright", "cosmic", "dizzy", "frosty", "golden", "humble", "rusty",
];

pub(super) const NOUNS: [&str; 32] = [
    "badger", "cactus", "dragon", "falcon", "garden", "harbor", "island", "jaguar", "kitten", "lantern",
    "meadow", "nebula", "otter", "panda", "quartz", "raven", "sailor", "tiger", "umbra", "violet", "walrus",
    "yonder", "zephyr", "anchor", "beacon", "comet", "drifter", "ember", "forest", "glacier", "hedgehog",
    "comrade",
];

/// Display names, among them what a careless renderer or column type trips over.
pub(super) const DISPLAY_NAMES: [&str; 24] = [
    "Mira",
    "José",
    "Ærøskøbing",
    "Łukasz",
    "桜井",
    "Наталья",
    "محمد",
    "Zoë 🌙",
    "O'Brien",
    "Renée",
    "Björk",
    "김민준",
    "Ana 🇧🇷",
    "The \\\"Real\\\" Tom",
    "Kev",
    "Søren",
    "Đặng",
    "Ivy ✨",
    "Lena_",
    "xX_Sam_Xx",
    "Íñigo",
    "Noor",
    "שירה",
    "Theo | away",
];

pub(super) const CHANNELS: [&str; 12] = [
    "general",
    "off-topic",
    "introductions",
    "memes",
    "help",
    "bot-commands",
    "art",
    "music",
    "gaming",
    "news",
    "pets",
    "weekend-plans",
];

pub(super) const ROLES: [&str; 12] = [
    "Admin",
    "Moderator",
    "Helper",
    "Level 50",
    "Level 20",
    "Level 10",
    "Level 5",
    "Artist",
    "Booster",
    "Events",
    "Member",
    "Muted",
];

pub(super) const WORDS: [&str; 64] = [
    "the", "a", "and", "so", "but", "I", "you", "we", "they", "it", "was", "is", "think", "know", "really",
    "just", "maybe", "never", "always", "today", "tomorrow", "game", "stream", "server", "music", "coffee",
    "train", "weekend", "photo", "update", "patch", "boss", "level", "quest", "team", "voice", "channel",
    "question", "answer", "idea", "friend", "movie", "book", "song", "cat", "dog", "rain", "night",
    "morning", "work", "school", "code", "bug", "fix", "works", "fine", "great", "weird", "funny", "right",
    "wrong", "same", "new", "old",
];

/// Pieces between words, already escaped for JSON.
pub(super) const SPICE: [&str; 20] = [
    " 😀",
    " 🎉",
    " \\\"quoted\\\"",
    "\\n",
    "\\n> ",
    " <:blob:713462871200923648>",
    " café",
    " über",
    " 日本語",
    " привет",
    " C:\\\\games",
    " **bold**",
    " ||spoiler||",
    " ¯\\\\_(ツ)_/¯",
    " `code`",
    " 1\\u20ac",
    " naïve",
    " <3",
    " & ",
    " https://example.org/a?b=c",
];
