//! The `ringwire` program: arguments, configuration, then [`ringwire_gateway::server`].

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser;
use ringwire_gateway::cli::{self, Cli, Command, ConfigCommand, DbCommand, KeyCommand};
use ringwire_gateway::operate::{check, copy, keys, migrate, operator, user};
use ringwire_gateway::push::VapidKey;
use ringwire_gateway::{body_keys, config, logging, memory, server, startup};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code for everything an operator can mend; clap uses it for wrong flags too.
const EXIT_MEND: u8 = 2;

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            // One line, whatever the error: what is wrong and how to mend it.
            let line = error.to_string().lines().collect::<Vec<_>>().join(" ");
            // Where nobody listens the exit code has to do.
            let _ = writeln!(io::stderr(), "ringwire: {line}");
            ExitCode::from(EXIT_MEND)
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let loaded = cli.options.load()?;
    match &cli.command {
        Some(Command::CheckConfig) => {
            startup::check_files(&loaded.config)?;
            cli::say(loaded.to_string().trim_end())?;
        }
        Some(Command::VapidKeys) => {
            let (key, private) = VapidKey::generate()?;
            cli::say(format_args!("private = {}\npublic = {}", *private, key.public()))?;
        }
        Some(Command::Token(args)) => cli::say(cli::mint_token(&loaded, args)?)?,
        Some(Command::User(command)) => return user::user(&loaded, command),
        Some(Command::Operator(command)) => return operator::operator(&loaded, command),
        Some(Command::Config(ConfigCommand::Doc)) => cli::say(config::documented().trim_end())?,
        Some(Command::Key(KeyCommand::New)) => {
            cli::say(&*body_keys::new_line(&loaded.config.storage.encryption)?)?;
        }
        Some(Command::Key(KeyCommand::Status(args))) => {
            return keys::status(&loaded.config.storage, args);
        }
        Some(Command::Migrate(args)) => return migrate::migrate(&loaded.config.storage, args),
        Some(Command::Db(DbCommand::Check(args))) => {
            return check::check(&loaded.config.storage, args);
        }
        Some(Command::Db(DbCommand::Copy(args))) => {
            return copy::copy(&loaded.config.storage, args);
        }
        Some(Command::Serve) | None => {
            memory::without_huge_pages();
            logging::start(&loaded.config.log);
            server::run(loaded.config)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
