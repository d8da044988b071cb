use crate::Quota;
use crate::quota::parse_period;
use core::fmt;
use core::time::Duration;
use serde_core::de::{Error, MapAccess, Visitor};
use serde_core::{Deserialize, Deserializer, Serialize, Serializer};

/// Serializes as its [text](Quota#impl-Display-for-Quota): `"100/min burst 20"`.
impl Serialize for Quota {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Deserializes from its [text](Quota#impl-FromStr-for-Quota). Formats for people, such as JSON and
/// TOML, may also have a map of `permits`, `period` and, if it differs from the permits, `burst`.
///
/// The period is a text as after the `/` of a quota: `"100ms"`, `"min"`. Any other key is an error,
/// so that a misspelt `burst` is not ignored. Errors say what is wrong, and in a text at which
/// byte.
///
/// ```
/// use casgate::Quota;
///
/// # fn main() -> Result<(), serde_json::Error> {
/// let quota = Quota::per_minute(100).with_burst(20);
/// assert_eq!(serde_json::from_str::<Quota>(r#""100/min burst 20""#)?, quota);
/// let map = r#"{"permits": 100, "period": "1min", "burst": 20}"#;
/// assert_eq!(serde_json::from_str::<Quota>(map)?, quota);
/// # Ok(())
/// # }
/// ```
impl<'de> Deserialize<'de> for Quota {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(TextOrMap)
        } else {
            // Such formats often cannot say what they hold.
            deserializer.deserialize_str(TextOrMap)
        }
    }
}

struct TextOrMap;

impl<'de> Visitor<'de> for TextOrMap {
    type Value = Quota;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quota such as \"100/min burst 20\", or a map of its permits and period")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Quota, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Quota, A::Error> {
        let (mut permits, mut period, mut burst) = (None, None, None);
        while let Some(key) = map.next_key()? {
            match key {
                Key::Permits => set(&mut permits, &mut map, PERMITS)?,
                Key::Period => set(&mut period, &mut map, PERIOD)?,
                Key::Burst => set(&mut burst, &mut map, BURST)?,
            }
        }
        let permits = permits.ok_or_else(|| A::Error::missing_field(PERMITS))?;
        let Period(period) = period.ok_or_else(|| A::Error::missing_field(PERIOD))?;
        let quota = Quota::new(permits, period).map_err(A::Error::custom)?;
        match burst.flatten() {
            Some(burst) => quota.try_with_burst(burst).map_err(A::Error::custom),
            None => Ok(quota),
        }
    }
}

fn set<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    field: &mut Option<T>,
    map: &mut A,
    name: &'static str,
) -> Result<(), A::Error> {
    if field.is_some() {
        return Err(A::Error::duplicate_field(name));
    }
    *field = Some(map.next_value()?);
    Ok(())
}

const PERMITS: &str = "permits";
const PERIOD: &str = "period";
const BURST: &str = "burst";

enum Key {
    Permits,
    Period,
    Burst,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyKey;

        impl Visitor<'_> for AnyKey {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("permits, period or burst")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
                match name {
                    PERMITS => Ok(Key::Permits),
                    PERIOD => Ok(Key::Period),
                    BURST => Ok(Key::Burst),
                    _ => Err(E::unknown_field(name, &[PERMITS, PERIOD, BURST])),
                }
            }
        }

        deserializer.deserialize_identifier(AnyKey)
    }
}

struct Period(Duration);

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Period;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a period such as \"100ms\" or \"1min\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Period, E> {
                parse_period(text).map(Period).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}
