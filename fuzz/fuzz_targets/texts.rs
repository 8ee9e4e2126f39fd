//! Names and addresses: what is taken is taken again, and its key is its own key.
#![no_main]

use polygate_shared::identity::{EmailAddress, Identifier, Name, canonical};

libfuzzer_sys::fuzz_target!(|input: &str| {
    let key = canonical(input);
    assert_eq!(canonical(&key), key, "the canonical form of {input:?} has another one");
    let address = EmailAddress::parse(input);
    if let Ok(address) = &address {
        let again = EmailAddress::parse(address.as_str()).expect("an address is one");
        assert_eq!(again.key(), address.key());
        let by_key = EmailAddress::parse(&address.key()).expect("the key of an address is one");
        assert_eq!(by_key.key(), address.key(), "the key of {input:?} has another one");
        let identifier = Identifier::new(address.as_str());
        assert_eq!(identifier.address_key(), Some(address.key().as_str()));
    }
    if let Ok(name) = Name::parse(input, &(1..=64)) {
        assert_eq!(name.as_str(), input);
        assert_eq!(Identifier::new(input).name_key(), name.key());
        name.fits(address.as_ref().ok());
    }
    Identifier::new(input).claims();
});
