//! What a server is given beyond its settings: certificates, rules of access, a standby.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::certificates::Identity;
use crate::postgres::PrivatePostgres;

impl PrivatePostgres {
    /// Turns TLS on with this certificate, trusting the clients of an authority; restarts the server.
    pub fn use_tls(&mut self, own: &Identity, clients_of: &str) -> Result<()> {
        self.put("server.crt", &own.certificate)?;
        self.put("server.key", &own.key)?;
        self.put("root.crt", clients_of)?;
        self.execute("ALTER SYSTEM SET ssl = on")?;
        self.execute("ALTER SYSTEM SET ssl_ca_file = 'root.crt'")?;
        self.restart()
    }

    /// Turns TLS off; restarts the server.
    pub fn use_no_tls(&mut self) -> Result<()> {
        self.execute("ALTER SYSTEM RESET ssl")?;
        self.restart()
    }

    /// Replaces the rules of `pg_hba.conf`, except that the superuser `ringwire` may always enter without TLS.
    pub fn allow(&mut self, rules: &[&str]) -> Result<()> {
        let mut text = String::from("hostnossl all ringwire 127.0.0.1/32 trust\n");
        for rule in rules {
            text.push_str(rule);
            text.push('\n');
        }
        self.put("pg_hba.conf", &text)?;
        self.restart()
    }

    /// Makes a streaming standby of this server and starts it. This one is stopped meanwhile, so that a copy of its
    /// files is a backup.
    pub fn standby(&mut self) -> Result<Self> {
        let standby = Self::prepare(&std::env::temp_dir(), &[])?;
        self.stop()?;
        let mut copy = Command::new("cp");
        let copied = copy.arg("-a").arg(self.data()).arg(standby.data()).status()?;
        ensure!(copied.success(), "cannot copy {}", self.data().display());
        self.restart()?;
        let name = standby.port();
        let source = format!("host=127.0.0.1 port={} user=ringwire", self.port());
        let setting = format!("primary_conninfo = '{source} application_name=standby{name}'\n");
        standby.put("postgresql.auto.conf", &setting)?;
        standby.put("standby.signal", "")?;
        standby.booted()
    }

    /// Makes a standby the primary and waits until it is.
    pub fn promote(&self) -> Result<()> {
        self.execute(
            "DO $$ BEGIN IF NOT pg_promote() THEN RAISE 'it was not promoted in time'; END IF; END $$",
        )
    }

    /// Writes a file into the data folder, for the server's eyes only.
    fn put(&self, name: &str, text: &str) -> Result<()> {
        let file = self.data().join(name);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        if let Some(user) = self.server_user() {
            user.give(&file)?;
        }
        Ok(())
    }
}
