use crate::answer::NotAdmitted;

/// Why a request is not decided.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Miss {
    /// It is not admitted.
    Not(NotAdmitted),
    /// A lease was asked for, and will soon be here.
    Soon,
}
