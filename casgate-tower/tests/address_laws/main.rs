//! What no client can do, whatever it sends. The laws are in [`laws`], and [`wrong`] has a wrong walk for each.

mod laws;
mod scene;
mod wrong;

use laws::{Law, Walk};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use scene::Scene;

/// Judges a walk by a law. The error has the smallest scene that breaks it.
fn judge(walk: Walk, law: Law) -> Result<(), String> {
    let config = Config {
        cases: 10_000,
        failure_persistence: None,
        max_shrink_iters: 1_000,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let bytes = prop::collection::vec(any::<u8>(), 0..200);
    let verdict = TestRunner::new_with_rng(config, rng)
        .run(&bytes, |bytes| law(walk, &Scene::new(&bytes)).map_err(TestCaseError::fail));
    verdict.map_err(|error| match error {
        TestError::Fail(reason, bytes) => format!("{reason}\n{:#?}", Scene::new(&bytes)),
        TestError::Abort(reason) => reason.to_string(),
    })
}

macro_rules! hold {
    ($($law:ident)*) => {
        $(
            #[test]
            fn $law() {
                judge(laws::walk, laws::$law).unwrap_or_else(|broken| panic!("{broken}"));
            }
        )*

        #[test]
        fn no_law_is_forgotten() {
            assert_eq!([$(stringify!($law)),*].len(), laws::LAWS.len());
        }
    };
}

hold! {
    any_header_has_a_client
    an_untrusted_peer_is_the_client
    what_a_client_sends_changes_nothing
    another_header_changes_nothing
}
