//! Decimal numbers times a unit, exactly: the common half of durations and sizes.

/// Why a text is no number, or too large a one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadNumber {
    Form,
    TooLarge,
}

/// Decimals that are looked at; finer ones are below a nanosecond or a byte and are cut.
const MOST_DECIMALS: usize = 12;

/// Whether a character can stand in a number.
pub(crate) fn is_number(c: char) -> bool {
    c.is_ascii_digit() || c == '.' || c == '_'
}

/// `number × scale`, without floating point so that `0.1` seconds are exactly 100 milliseconds.
pub(crate) fn times(number: &str, scale: u64) -> Result<u128, BadNumber> {
    let digits = number.replace('_', "");
    let (whole, share) = digits.split_once('.').unwrap_or((&digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(share) || digits.ends_with('.') {
        return Err(BadNumber::Form);
    }
    let whole: u64 = whole.parse().map_err(|_| BadNumber::TooLarge)?;
    let share = share.get(..MOST_DECIMALS.min(share.len())).unwrap_or_default();
    let width = u32::try_from(share.len()).unwrap_or(0);
    let share: u64 = if share.is_empty() { 0 } else { share.parse().map_err(|_| BadNumber::Form)? };
    let scale = u128::from(scale);
    Ok(u128::from(whole) * scale + u128::from(share) * scale / 10_u128.pow(width))
}
