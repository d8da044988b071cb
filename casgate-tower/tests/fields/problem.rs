use crate::scene::{decide, standing, steadily};
use casgate::{Limiter, Quota};
use casgate_tower::fields::ProblemType;
use serde_json::{Value, json};

#[test]
fn bodies_are_json_that_names_who_denied() {
    let quota = Quota::per_minute(60);
    let admitted = decide(&Limiter::token_bucket(quota), &[(1, 0)]);
    let denied = decide(&Limiter::token_bucket(quota), &[(60, 0), (1, 0)]);
    let policies = [r#"a"b\c"#, "admits", r"\\", "daily"].map(|name| steadily(name, quota));
    let standings = [(0, &denied), (1, &admitted), (2, &denied), (3, &denied)]
        .map(|(index, decision)| standing(&policies[index], decision));
    let violated = json!([r#"a"b\c"#, r"\\", "daily"]);
    let iana = "https://iana.org/assignments/http-problem-types#";
    for (problem, anchor, title, status) in [
        (ProblemType::QuotaExceeded, "quota-exceeded", "Quota exceeded", 429),
        (
            ProblemType::TemporaryReducedCapacity,
            "temporary-reduced-capacity",
            "Capacity temporarily reduced",
            503,
        ),
        (
            ProblemType::AbnormalUsageDetected,
            "abnormal-usage-detected",
            "Abnormal usage detected",
            429,
        ),
    ] {
        let uri = format!("{iana}{anchor}");
        let right = json!({
            "type": uri, "title": title, "status": status, "violated-policies": violated,
        });
        assert_eq!(serde_json::from_slice::<Value>(&problem.body(&standings)).unwrap(), right);
        assert_eq!(problem.status(), status);
    }

    assert_eq!(ProblemType::default(), ProblemType::Blank);
    let blank: Value = serde_json::from_slice(&ProblemType::Blank.body(&standings)).unwrap();
    assert_eq!(blank, json!({ "title": "Too Many Requests", "status": 429 }));
    let nobody: Value = serde_json::from_slice(&ProblemType::QuotaExceeded.body(&[])).unwrap();
    assert_eq!(nobody["violated-policies"], json!([]));
}

/// No character of a name breaks the JSON.
#[test]
fn every_name_survives() {
    let quota = Quota::per_minute(1);
    let denied = decide(&Limiter::token_bucket(quota), &[(2, 0)]);
    for byte in 0x20..=0x7e_u8 {
        let name = format!("{}x", char::from(byte));
        let policy = steadily(&name, quota);
        let body = ProblemType::QuotaExceeded.body(&[standing(&policy, &denied)]);
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["violated-policies"], json!([name]));
    }
}
