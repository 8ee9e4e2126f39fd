//! Which contract an address speaks: host, line break, path.
#![no_main]

use polygate_shared::http::{Contract, HostMap, Place, choose};

libfuzzer_sys::fuzz_target!(|input: &str| {
    let (host, path) = input.split_once('\n').unwrap_or(("", input));
    let hosts = HostMap::new(vec![
        ("photos.example.com".to_owned(), Contract::Zeaya),
        ("hub.example.com".to_owned(), Contract::Mcphub),
    ]);
    for root in Contract::ALL {
        let (place, rest) = choose(Some(host), path, &hosts, root);
        match place {
            Place::Contract { contract, mounted: true } => {
                let inner = path.strip_prefix('/').unwrap_or(path);
                let after = inner.strip_prefix(contract.name()).expect("the mount");
                assert!(rest == after || (after.is_empty() && rest == "/"));
            }
            Place::Contract { mounted: false, .. } | Place::Service => assert_eq!(rest, path),
        }
        // Who is named decides, and neither the host nor the root.
        if matches!(place, Place::Contract { mounted: true, .. } | Place::Service) {
            assert_eq!(choose(None, path, &hosts, root).0, place);
        }
    }
});
