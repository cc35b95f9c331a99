//! Access tokens: those that the user pool makes, and those that nobody should believe.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use aws_lc_rs::{hmac, rsa};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use emulator::Api;
use serde_json::{Value, json};
use std::path::PathBuf;

/// The user pool of the stack, and the key with which its access tokens are signed.
pub(crate) struct UserPool {
    key: KeyPair,
    key_id: String,
    public_key: Vec<u8>,
    issuer: String,
    client: String,
}

impl UserPool {
    /// The pool of the stack that `make test` started.
    pub(crate) async fn connect() -> Self {
        let variable =
            |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make test`"));
        let pool = variable("E_COM67_USER_POOL");
        let path = PathBuf::from(variable("E_COM67_USER_POOL_KEYS")).join(format!("{pool}-access.pem"));
        // The pool's keys are made when they are first needed.
        let api = Api::at(&variable("AWS_ENDPOINT_URL")).unwrap();
        let keys = api
            .ask("GET", &format!("/{pool}/.well-known/jwks.json"), &[], "")
            .await
            .unwrap();
        let keys: Value = serde_json::from_slice(&keys.body).unwrap();
        let pem = std::fs::read_to_string(path).unwrap();
        let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let key = KeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap();
        Self {
            key,
            key_id: keys["keys"][0]["kid"].as_str().unwrap().to_owned(),
            public_key: URL_SAFE_NO_PAD.decode(keys["keys"][0]["n"].as_str().unwrap()).unwrap(),
            issuer: format!("https://cognito-idp.eu-west-1.amazonaws.com/{pool}"),
            client: variable("E_COM67_USER_POOL_CLIENT"),
        }
    }

    /// A token as the pool itself makes it, for somebody who logs in.
    pub(crate) async fn log_in(&self, user: &str, group: &str) -> String {
        let name = std::env::var("E_COM67_STACK").unwrap();
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let output = tokio::process::Command::new(root.join("infra/local/stack.py"))
            .args(["token", "--name", &name, user, "--group", group])
            .output()
            .await
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The claims of a token in order.
    pub(crate) fn claims(&self, user: &str) -> Value {
        let now = jiff::Timestamp::now().as_second();
        json!({
            "iss": self.issuer, "client_id": self.client, "token_use": "access", "username": user, "sub": "a-subject",
            "iat": now - 10, "exp": now + 600,
        })
    }

    /// A token with these claims, signed by the pool's key.
    pub(crate) fn signed(&self, claims: &Value) -> String {
        self.signed_by(&self.key, &self.key_id, claims)
    }

    fn signed_by(&self, key: &KeyPair, key_id: &str, claims: &Value) -> String {
        let input = signing_input(&json!({"alg": "RS256", "kid": key_id}), claims);
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            input.as_bytes(),
            &mut signature,
        )
        .unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Every way in which a token of this customer can be wrong, by name; `None` is no token at all.
    pub(crate) fn faults(&self, user: &str, another: &str) -> Vec<(&'static str, Option<String>)> {
        let now = jiff::Timestamp::now().as_second();
        let with = |name: &str, value: Value| {
            let mut claims = self.claims(user);
            claims[name] = value;
            claims
        };
        let stranger = KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        let in_order = self.signed(&self.claims(user));
        let (head, signature) = in_order.rsplit_once('.').unwrap();
        let others = signing_input(&json!({"alg": "RS256", "kid": self.key_id}), &self.claims(another));
        let none = signing_input(&json!({"alg": "none", "kid": self.key_id}), &self.claims(user));
        let symmetric = signing_input(&json!({"alg": "HS256", "kid": self.key_id}), &self.claims(user));
        let mac = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, &self.public_key),
            symmetric.as_bytes(),
        );
        let without = |name: &str| {
            let mut claims = self.claims(user);
            claims.as_object_mut().unwrap().remove(name);
            self.signed(&claims)
        };
        vec![
            ("no token", None),
            ("an empty token", Some(String::new())),
            ("no token of this kind", Some("abc.def.ghi".to_owned())),
            ("expired", Some(self.signed(&with("exp", json!(now - 1))))),
            ("not yet valid", Some(self.signed(&with("nbf", json!(now + 600))))),
            (
                "another issuer",
                Some(self.signed(&with("iss", json!("https://issuer.example.com")))),
            ),
            (
                "another audience",
                Some(self.signed(&with("client_id", json!("another-client")))),
            ),
            ("alg none", Some(format!("{none}."))),
            ("alg none with a signature", Some(format!("{none}.{signature}"))),
            (
                "HS256 with the public key",
                Some(format!("{symmetric}.{}", URL_SAFE_NO_PAD.encode(mac))),
            ),
            (
                "another's key",
                Some(self.signed_by(&stranger, &self.key_id, &self.claims(user))),
            ),
            (
                "an unknown key",
                Some(self.signed_by(&stranger, "unknown", &self.claims(user))),
            ),
            (
                "another's claims under this signature",
                Some(format!("{others}.{signature}")),
            ),
            (
                "a signature cut short",
                Some(format!("{head}.{}", &signature[..signature.len() - 4])),
            ),
            ("no customer in it", Some(without("username"))),
            ("a blank customer", Some(self.signed(&with("username", json!(" "))))),
        ]
    }
}

fn signing_input(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}
