use crate::Timestamp;
use serde_core::{Deserialize, Deserializer, Serialize, Serializer};

/// Serializes as the integer number of nanoseconds since the origin, 64 bits wide. The origin is
/// that of the clock: another process may have another.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.as_nanos())
    }
}

/// Deserializes from an integer number of nanoseconds since the origin.
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(Self::from_nanos)
    }
}
