use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// A client of 60 lines: RESP2, one command at a time.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Nil,
    Int(i64),
    Text(String),
    List(Vec<Value>),
    Error(String),
}

impl Connection {
    pub(crate) fn to(port: u16) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the server listens");
        stream.set_nodelay(true).expect("no delay");
        // A script without an end fails its test.
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        Self { stream: BufReader::new(stream) }
    }

    pub(crate) fn send(&mut self, command: &[&str]) -> Value {
        let mut message = format!("*{}\r\n", command.len());
        for part in command {
            message += &format!("${}\r\n{part}\r\n", part.len());
        }
        self.stream.get_mut().write_all(message.as_bytes()).expect("the server reads");
        self.receive()
    }

    fn receive(&mut self) -> Value {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("the server answers");
        let (kind, rest) = line.trim_end().split_at(1);
        let count = || rest.parse::<i64>().expect("a number");
        match kind {
            "+" => Value::Text(rest.to_owned()),
            "-" => Value::Error(rest.to_owned()),
            ":" => Value::Int(count()),
            "*" => Value::List((0..count()).map(|_| self.receive()).collect()),
            "$" if count() < 0 => Value::Nil,
            "$" => {
                let mut text = vec![0; count() as usize + 2];
                self.stream.read_exact(&mut text).expect("the whole of it");
                text.truncate(text.len() - 2);
                Value::Text(String::from_utf8(text).expect("digits and names"))
            }
            _ => panic!("not a reply: {line:?}"),
        }
    }

    /// Runs a script as a client does: by its name, and by its text if the server does not know it. Returns its
    /// numbers.
    pub(crate) fn run(
        &mut self,
        sha1: &str,
        text: &str,
        key: &str,
        arguments: &[String],
    ) -> Vec<i64> {
        let mut call = |command: &str, script: &str| {
            let head = [command, script, "1", key];
            let all: Vec<&str> =
                head.into_iter().chain(arguments.iter().map(String::as_str)).collect();
            self.send(&all)
        };
        let reply = match call("EVALSHA", sha1) {
            Value::Error(error) if error.starts_with("NOSCRIPT") => call("EVAL", text),
            reply => reply,
        };
        let Value::List(numbers) = reply else { panic!("{reply:?}") };
        numbers
            .into_iter()
            .map(|number| match number {
                Value::Int(number) => number,
                other => panic!("not a number: {other:?}"),
            })
            .collect()
    }

    /// The name by which the server knows a script.
    pub(crate) fn load(&mut self, text: &str) -> String {
        match self.send(&["SCRIPT", "LOAD", text]) {
            Value::Text(sha1) => sha1,
            other => panic!("{other:?}"),
        }
    }

    /// The fields of a hash with their values.
    pub(crate) fn fields(&mut self, key: &str) -> Vec<(String, u64)> {
        let Value::List(list) = self.send(&["HGETALL", key]) else { panic!("not a hash") };
        let texts: Vec<String> = list
            .into_iter()
            .map(|value| match value {
                Value::Text(text) => text,
                other => panic!("not a text: {other:?}"),
            })
            .collect();
        texts
            .chunks(2)
            // Not by way of a double: a number that was written with an exponent or a fraction is an error.
            .map(|pair| (pair[0].clone(), pair[1].parse().expect("a whole number")))
            .collect()
    }
}
