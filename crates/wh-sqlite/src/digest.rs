//! Digests as text.

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> Box<str> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::hex;

    #[test]
    fn bytes_are_two_digits_each() {
        assert_eq!(&*hex(&[0, 0x0f, 0xa0, 0xff]), "000fa0ff");
    }
}
