//! Plans, skeletons and parts that do not fit each other: the joiner never panics and never gives more than the size.

use std::io::{self, Write};

use arbitrary::Unstructured;
use archivista::archive::split::{Ends, Joiner, Plan, Reference};
use archivista::hash::Sha256;

pub fn run(input: &[u8]) {
    if let Ok(plan) = Plan::decode(input) {
        assert_eq!(Plan::decode(&plan.encode()).unwrap(), plan);
    }
    let _ = try_join(Unstructured::new(input));
}

fn try_join(mut input: Unstructured<'_>) -> arbitrary::Result<()> {
    let plan = plan(&mut input)?;
    let parts: Vec<&[u8]> = (0..input.int_in_range(0..=3)?).map(|_| input.arbitrary()).collect::<Result<_, _>>()?;
    let (by, lies) = (usize::from(input.arbitrary::<u8>()?) + 1, input.ratio(1, 4)?);
    let off = if input.ratio(1, 3)? { input.arbitrary()? } else { 0i64 };
    let skeleton = input.take_rest();

    let mut told = 0;
    let given = |wanted: &Reference, out: &mut dyn Write| {
        let part = parts.get(told % parts.len().max(1)).ok_or(io::ErrorKind::NotFound)?;
        told += 1;
        // As long as the plan says, or as it is.
        let len = if lies { part.len() } else { usize::try_from(wanted.len).unwrap_or(usize::MAX).min(1 << 16) };
        let endless = part.iter().chain(std::iter::repeat(&b'x')).take(len).copied().collect::<Vec<_>>();
        endless.chunks(by).try_for_each(|piece| out.write_all(piece))
    };
    let texts = plan.parts.iter().map(|part| part.text_len().unwrap_or(u64::MAX));
    let size = texts.fold(skeleton.len() as u64, u64::saturating_add).saturating_add_signed(off);
    let mut joined = Bounded { left: size, len: 0 };
    let mut joiner = Joiner::new(plan, size, given, &mut joined);
    let done = skeleton.chunks(by).try_for_each(|piece| joiner.write_all(piece)).and_then(|()| joiner.finish());
    assert!(done.is_err() || joined.len == size, "{} of {size}", joined.len);
    Ok(())
}

/// Counts what comes out.
struct Bounded {
    left: u64,
    len: u64,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len() as u64).expect("more than the size came out");
        self.len += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn plan(input: &mut Unstructured<'_>) -> arbitrary::Result<Plan> {
    let mut parts = Vec::new();
    for _ in 0..input.int_in_range(0..=5)? {
        parts.push(Reference {
            gap: number(input)?,
            sha256: Sha256::default(),
            len: number(input)?,
            groups: number(input)?,
            ends: if input.arbitrary()? { Ends::Crlf } else { Ends::Lf },
        });
    }
    Ok(Plan { parts })
}

fn number(input: &mut Unstructured<'_>) -> arbitrary::Result<u64> {
    if input.ratio(3, 4)? { Ok(input.arbitrary::<u8>()?.into()) } else { input.arbitrary() }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let usual = Reference { gap: 300, sha256: Sha256([7; 32]), len: 250_000, groups: 19, ends: Ends::Crlf };
    let others = [
        Reference { gap: 0, len: u64::MAX, groups: 0, ends: Ends::Lf, ..usual },
        Reference { groups: u64::MAX, ..usual },
    ];
    let plans = [vec![], vec![usual], [vec![usual], others.to_vec()].concat(), vec![usual; 100]];
    let mut inputs: Vec<Vec<u8>> = plans.into_iter().map(|parts| Plan { parts }.encode()).collect();
    inputs.extend((0..8u8).map(|seed| (0..=255u8).map(|byte| byte.wrapping_mul(31).wrapping_add(seed)).collect()));
    inputs
}
