//! The protocol with one step left out or moved. Each must have a counterexample.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wrong {
    /// The protocol as it is meant.
    Nothing,

    /// A new key's state is the larger of state and watermark: an unspent key that is evicted leaves no trace.
    UnspentLeavesNoTrace,
    /// The watermark is raised before the word is exchanged.
    WatermarkFirst,
    /// The watermark is raised after the owner is exchanged.
    WatermarkLast,
    /// A helper loads the owner before the word.
    OwnerBeforeWord,
    /// A helper does not ask whether the record is still the last.
    RecordNotLast,
    /// A new key starts with its victim's state, whatever the watermark.
    WatermarkForgotten,
    /// A hit does not compare the stamps of owner and word.
    HitWithoutStamps,
    /// The watermark has no epoch: a clear lowers it when it is not 0.
    ClearWithoutEpoch,
    /// A clear sets each word to 0, then the watermark, without a record.
    ClearWithoutRecord,
    /// A new key's denial does not ask whether the record is still the last.
    DenialUnverified,

    /// A hit does not look at the version again.
    HitLooksOnce,
    /// A new key does not look at the version again.
    NewKeyLooksOnce,
    /// `set_quota` does not announce an empty record.
    NoBump,
    /// `set_quota` does not wait for the one before it.
    QuotaOverwritten,
    /// A helper carries a state with its own timestamp.
    HelpersTimestamp,
    /// A caller carries its key to its tier as often as it finds it in another.
    CarriesWithoutEnd,
    /// A helper raises the watermark whenever the new key's state as an instant is later, be it by rounding.
    RaisedByRounding,

    /// A cancellation does not compare the stamp.
    CancelWithoutStamp,
    /// A cancellation looks for the key's slot again, and compares word and stamp there.
    CancelAnySlot,
    /// A caller that decides in another tier reads the rule after the word.
    RuleAfterWord,
    /// A helper that has passed the word reads the new key's rule again.
    RuleReadAgain,
    /// A refund that finds its key in transit returns.
    RefundGivesUp,
    /// A victim with as much outstanding as the watermark, but in other units, leaves no trace.
    RoundedLeavesNoTrace,
    /// A helper whose raise of the watermark is lost passes the owner all the same.
    RaisedOnce,
    /// A clear that cannot lower the watermark at once leaves it.
    ClearGivesUp,
}
