//! The question whether a host that is met for the first time is the right one.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::console::{Decision, FirstMeeting};

/// Asks whoever sits at the terminal; where nobody does, no host is trusted.
pub(super) fn person(meeting: &FirstMeeting) -> Decision {
    if !is_possible() {
        return Decision::Refuse;
    }
    asked(meeting, &mut io::stdin().lock(), &mut io::stderr()).unwrap_or(Decision::Refuse)
}

/// Whether somebody sits at a terminal.
pub(super) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Trusts whom nobody asks about, and says so.
pub(super) fn nobody(meeting: &FirstMeeting) -> Decision {
    let certificate = &meeting.certificate;
    let _ = writeln!(
        io::stderr(),
        "quartermaster: {} is trusted from now on by its certificate (SHA-256 {})",
        meeting.peer,
        certificate.thumbprint
    );
    Decision::Trust
}

fn asked(meeting: &FirstMeeting, input: &mut impl BufRead, output: &mut impl Write) -> io::Result<Decision> {
    let FirstMeeting { peer, certificate } = meeting;
    writeln!(output, "{peer} is not known yet. Its certificate:")?;
    writeln!(output, "  SHA-256  {}", certificate.thumbprint)?;
    writeln!(output, "  for      {}", certificate.subject)?;
    writeln!(output, "  from     {}", certificate.issuer)?;
    writeln!(output, "  until    {}", certificate.not_after)?;
    loop {
        write!(output, "Is it the right host, to be remembered (yes or no)? ")?;
        output.flush()?;
        let mut answer = String::new();
        if input.read_line(&mut answer)? == 0 {
            return Ok(Decision::Refuse);
        }
        match answer.trim() {
            "yes" => return Ok(Decision::Trust),
            "no" => return Ok(Decision::Refuse),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{PeerCertificate, Thumbprint};

    fn answered(answers: &str) -> (Decision, String) {
        let certificate = PeerCertificate {
            thumbprint: Thumbprint::Sha256([0xab; 32]),
            subject: "web1".to_owned(),
            issuer: "web1".to_owned(),
            not_after: "Jan  1 00:00:00 2030 GMT".to_owned(),
            end_point: None,
        };
        let mut output = Vec::new();
        let meeting = FirstMeeting { peer: "web1:5986".to_owned(), certificate };
        let decision = asked(&meeting, &mut answers.as_bytes(), &mut output).unwrap();
        (decision, String::from_utf8(output).unwrap())
    }

    #[test]
    fn only_a_clear_yes_is_one() {
        for (answers, decision, questions) in [
            ("yes\n", Decision::Trust, 1),
            ("no\n", Decision::Refuse, 1),
            ("y\n\nYES\nyes\n", Decision::Trust, 4),
            ("", Decision::Refuse, 1),
        ] {
            let (decided, output) = answered(answers);
            assert_eq!(decided, decision, "{answers}");
            assert_eq!(output.matches("yes or no").count(), questions, "{output}");
            assert!(output.contains(&"ab".repeat(32)), "{output}");
        }
    }
}
