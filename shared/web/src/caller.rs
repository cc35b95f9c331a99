//! Who calls: the customer of an access token that API Gateway has checked, and that is checked here once more.

use axum::Extension;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::UserId;
use jiff::Timestamp;
use lambda::{InvalidVariable, Variables};
use lambda_http::request::RequestContext;
use std::collections::HashMap;
use std::sync::Arc;

use crate::Problem;

/// Whose tokens are believed, and what in them says who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who makes the tokens (`iss`).
    pub issuer: String,
    /// For whom they are made: one of these (`aud`, or `client_id` in an access token of Cognito).
    pub audience: Vec<String>,
    /// The claim that is the customer's id.
    pub user_claim: String,
    /// The claim that lists the caller's roles.
    pub roles_claim: String,
    /// The role of those who run the shop.
    pub admin_role: String,
}

/// What a caller may do besides looking after their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Nothing.
    Customer,
    /// What runs the shop.
    Admin,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The customer.
    pub user: UserId,
    /// What they may do besides. No route of a customer's own makes a difference.
    pub role: Role,
}

/// A caller who runs the shop; everybody else is refused before anything of the request is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin(
    /// Who it is.
    pub UserId,
);

impl Identity {
    /// Reads `JWT_ISSUER`, `JWT_AUDIENCE` (with commas), `JWT_USER_CLAIM`, `JWT_ROLES_CLAIM`, `ADMIN_ROLE`.
    ///
    /// # Errors
    ///
    /// [`InvalidVariable`] for the first that is missing.
    pub fn read(variables: &Variables) -> Result<Self, InvalidVariable> {
        let audience = variables.text("JWT_AUDIENCE")?;
        Ok(Self {
            issuer: variables.text("JWT_ISSUER")?,
            audience: audience.split(',').map(|one| one.trim().to_owned()).collect(),
            user_claim: variables.optional("JWT_USER_CLAIM").unwrap_or_else(|| "sub".to_owned()),
            roles_claim: variables
                .optional("JWT_ROLES_CLAIM")
                .unwrap_or_else(|| "cognito:groups".to_owned()),
            admin_role: variables.optional("ADMIN_ROLE").unwrap_or_else(|| "admin".to_owned()),
        })
    }

    /// Who calls, by the claims of a token whose signature the gateway has checked; nobody, where one of them is not as it must be.
    #[must_use]
    pub fn caller(&self, claims: &HashMap<String, String>, now: Timestamp) -> Option<Caller> {
        let claim = |name: &str| claims.get(name).map(String::as_str);
        let audience = claim("aud").or_else(|| claim("client_id"))?;
        let is_for_us = members(audience).any(|one| self.audience.iter().any(|ours| ours == one));
        let expires_at = seconds(claim("exp")?)?;
        let is_in_force = now.as_second() < expires_at
            && claim("nbf").is_none_or(|not_before| seconds(not_before).is_some_and(|at| at <= now.as_second()));
        if claim("iss")? != self.issuer || !is_for_us || !is_in_force {
            return None;
        }
        let is_admin = claim(&self.roles_claim).is_some_and(|roles| words(roles).any(|role| role == self.admin_role));
        Some(Caller {
            user: UserId::try_from(claim(&self.user_claim)?).ok()?,
            role: if is_admin { Role::Admin } else { Role::Customer },
        })
    }
}

/// The members of a claim: API Gateway writes a list as `[a b]`, others as `["a","b"]`; anything else is one text.
fn members(claim: &str) -> impl Iterator<Item = &str> {
    let list = claim.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let separators: &[char] = if list.is_some() { &[' ', ','] } else { &[] };
    list.unwrap_or(claim)
        .split(separators)
        .map(|member| member.trim_matches('"'))
        .filter(|member| !member.is_empty())
}

/// The same where one text may also be several words, as roles are.
fn words(claim: &str) -> impl Iterator<Item = &str> {
    members(claim).flat_map(|member| member.split([' ', ',']))
}

/// API Gateway writes numbers as text, large ones perhaps as `1.7e9`.
fn seconds(claim: &str) -> Option<i64> {
    let whole = || claim.parse().ok();
    let scientific = || {
        let number: f64 = claim.parse().ok()?;
        jiff::SignedDuration::try_from_secs_f64(number)
            .ok()
            .map(|since| since.as_secs())
    };
    whole().or_else(scientific)
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Extension(identity) = Extension::<Arc<Identity>>::from_request_parts(parts, state)
            .await
            .map_err(|_missing| Problem::internal())?;
        let Extension(now) = Extension::<Timestamp>::from_request_parts(parts, state)
            .await
            .map_err(|_missing| Problem::internal())?;
        let context = parts.extensions.get::<RequestContext>();
        let jwt = context
            .and_then(RequestContext::authorizer)
            .and_then(|authorizer| authorizer.jwt.as_ref());
        jwt.and_then(|jwt| identity.caller(&jwt.claims, now))
            .ok_or_else(Problem::unauthorized)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        match caller.role {
            Role::Admin => Ok(Self(caller.user)),
            Role::Customer => Err(Problem::forbidden()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn identity() -> Identity {
        Identity {
            issuer: "https://issuer.example.com/".to_owned(),
            audience: vec!["shop".to_owned(), "app".to_owned()],
            user_claim: "sub".to_owned(),
            roles_claim: "cognito:groups".to_owned(),
            admin_role: "admin".to_owned(),
        }
    }

    fn claims<'a>(others: &[(&'a str, &'a str)]) -> HashMap<String, String> {
        let usual = [
            ("iss", "https://issuer.example.com/"),
            ("aud", "app"),
            ("exp", "1700000001"),
            ("sub", "ana"),
        ];
        let all = usual.iter().chain(others);
        all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn who(claims: &HashMap<String, String>) -> Option<Caller> {
        identity().caller(claims, Timestamp::from_second(NOW).unwrap())
    }

    #[test]
    fn a_token_in_order_says_who_calls() {
        let caller = who(&claims(&[])).unwrap();
        assert_eq!((caller.user.as_str(), caller.role), ("ana", Role::Customer));
    }

    #[test]
    fn a_claim_that_is_wrong_or_missing_is_nobodys() {
        for wrong in [
            ("iss", "https://other.example.com/"),
            ("iss", "https://issuer.example.com"),
            ("aud", "another shop"),
            ("aud", ""),
            ("exp", "1700000000"),
            ("exp", "soon"),
            ("exp", "NaN"),
            ("nbf", "1700000001"),
            ("nbf", ""),
            ("sub", ""),
            ("sub", "a\u{0}b"),
        ] {
            assert_eq!(who(&claims(&[wrong])), None, "{wrong:?}");
        }
        for missing in ["iss", "aud", "exp", "sub"] {
            let mut claims = claims(&[]);
            claims.remove(missing);
            assert_eq!(who(&claims), None, "without {missing}");
        }
    }

    #[test]
    fn an_access_token_of_cognito_names_its_client() {
        let mut claims = claims(&[("client_id", "shop")]);
        claims.remove("aud");
        assert!(who(&claims).is_some());
        assert_eq!(
            who(&{
                claims.insert("client_id".to_owned(), "another".to_owned());
                claims
            }),
            None
        );
    }

    #[test]
    fn a_list_is_read_in_every_form_that_gateways_write() {
        for (roles, role) in [
            ("[admin ops]", Role::Admin),
            ("[ops,admin]", Role::Admin),
            (r#"["ops","admin"]"#, Role::Admin),
            ("admin", Role::Admin),
            ("administrator", Role::Customer),
            ("[ops]", Role::Customer),
            ("[]", Role::Customer),
            ("", Role::Customer),
        ] {
            assert_eq!(
                who(&claims(&[("cognito:groups", roles)])).unwrap().role,
                role,
                "{roles}"
            );
        }
        assert!(who(&claims(&[("aud", "[other app]")])).is_some());
        assert!(who(&claims(&[("exp", "1.700000001e9")])).is_some());
    }
}
