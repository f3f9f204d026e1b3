use super::{Network, listed, public};

#[test]
fn a_network_contains_its_addresses() {
    let contains = |network: &str, address: &str| {
        let network = Network::parse(network).expect("a network");
        network.contains(address.parse().expect("an address"))
    };
    assert!(contains("10.0.0.0/8", "10.255.0.1"));
    assert!(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
    assert!(!contains("10.0.0.0/8", "11.0.0.1"));
    assert!(contains("127.0.0.1", "127.0.0.1") && !contains("127.0.0.1", "127.0.0.2"));
    assert!(contains("0.0.0.0/0", "8.8.8.8") && !contains("0.0.0.0/0", "::1"));
    assert!(contains("fd00::/8", "fd12::1") && !contains("fd00::/8", "fe80::1"));
    for wrong in ["10.0.0.0/33", "10.0.0", "::/129", "x", "10.0.0.0/", "10.0.0.0/-1"] {
        assert_eq!(Network::parse(wrong), None, "{wrong}");
    }
    assert_eq!(listed("", Network::parse), Some(Vec::new()));
    assert_eq!(
        listed("127.0.0.1, ::1,", Network::parse).map(|all| all.len()),
        Some(2)
    );
    assert_eq!(listed("127.0.0.1; ::1", Network::parse), None);
}

#[test]
fn without_tls_a_website_is_local() {
    assert_eq!(
        public("https://bot.example/"),
        Some("https://bot.example".to_owned())
    );
    for local in [
        "http://localhost:8080",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
    ] {
        assert_eq!(public(local).as_deref(), Some(local));
    }
    for wrong in [
        "http://bot.example",
        "http://10.0.0.1:8080",
        "https://bot.example/path",
        "bot.example",
    ] {
        assert_eq!(public(wrong), None, "{wrong}");
    }
}
