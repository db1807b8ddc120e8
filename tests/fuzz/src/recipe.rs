//! Long messages out of short inputs: what matters begins at 4 KiB and at 192 KiB, where a fuzzer does not get by itself.
//!
//! An input whose first byte is even is the message itself, behind that byte. An odd one begins a recipe, steps of an
//! operation, a number, a length and so many bytes: the bytes once, the bytes so many times, base64 of so many blocks in lines.

/// The message of an input, at most `longest` bytes of it.
pub fn message(input: &[u8], longest: usize) -> Vec<u8> {
    let mut message = match input.split_first() {
        None => Vec::new(),
        Some((first, rest)) if first % 2 == 0 => rest.to_vec(),
        Some((_, steps)) => cook(steps, longest),
    };
    message.truncate(longest);
    message
}

/// Bytes of the pieces in which it comes: as the first byte says, larger ones of a long message.
pub fn pieces(input: &[u8], message: &[u8]) -> usize {
    let told = usize::from(input.first().copied().unwrap_or(0) / 2) + 1;
    told.max(message.len() / 2000)
}

/// The input of a message.
pub fn raw(message: &[u8]) -> Vec<u8> {
    [&[0], message].concat()
}

/// The input of a recipe: operation, number, bytes.
pub fn steps(steps: &[(u8, u8, &[u8])]) -> Vec<u8> {
    let mut input = vec![1];
    for (operation, number, bytes) in steps {
        input.extend([*operation, *number, u8::try_from(bytes.len()).unwrap_or(u8::MAX)]);
        input.extend(bytes.iter().take(255));
    }
    input
}

fn cook(mut steps: &[u8], longest: usize) -> Vec<u8> {
    let mut message = Vec::new();
    while let [operation, number, len, rest @ ..] = steps {
        let (bytes, rest) = rest.split_at(usize::from(*len).min(rest.len()));
        steps = rest;
        match operation % 4 {
            0 => message.extend_from_slice(bytes),
            1 => message.extend(bytes.repeat(usize::from(*number) + 1)),
            2 => message.extend(bytes.repeat(64 * (usize::from(*number) + 1))),
            _ => base64(&mut message, *number, bytes),
        }
        if message.len() > longest {
            break;
        }
    }
    message
}

/// So many blocks of 128 letters, and some; `how`: groups in a line, its end, letters at the end.
fn base64(message: &mut Vec<u8>, blocks: u8, how: &[u8]) {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let at = |place: usize| how.get(place).copied().unwrap_or(0);
    let width = if at(0) == 0 { usize::MAX } else { usize::from(at(0)) * 4 };
    let end: &[u8] = [&b"\r\n"[..], b"\n", b"\r", b" \r\n", b"\r\r\n", b"\n\n"][usize::from(at(1)) % 6];
    let mut state = u32::from(at(2));
    for letter in 0..usize::from(blocks) * 128 + usize::from(at(3)) {
        if letter > 0 && letter % width == 0 {
            message.extend_from_slice(end);
        }
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        message.push(LETTERS[(state >> 26) as usize]);
    }
    message.extend(how.iter().skip(4));
}
