//! Statements in PartiQL, as far as functions write them: one item inserted, updated, deleted or read by its whole key.

use super::attribute::{Attribute, Item};
use super::expression::{Change, Condition, Invalid, Reader, Values};

/// A statement about one item.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement<'s> {
    /// `INSERT INTO "table" VALUE {'name': ?, …}`
    Insert {
        /// Where.
        table: &'s str,
        /// What.
        item: Item,
    },
    /// `UPDATE "table" SET path=term … REMOVE path … WHERE condition [RETURNING …]`
    Update {
        /// Where.
        table: &'s str,
        /// What changes.
        changes: Vec<Change>,
        /// Of which item, and when.
        condition: Condition,
        /// What is answered.
        returning: Returning,
    },
    /// `DELETE FROM "table" WHERE condition [RETURNING ALL OLD *]`
    Delete {
        /// Where.
        table: &'s str,
        /// Which item, and when.
        condition: Condition,
        /// What is answered.
        returning: Returning,
    },
    /// `SELECT * FROM "table" WHERE condition`
    Select {
        /// Where.
        table: &'s str,
        /// Which item, and when.
        condition: Condition,
    },
}

/// What a writing statement answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returning {
    /// Nothing.
    Nothing,
    /// The item as it was.
    Old,
    /// The item as it is now. `MODIFIED` answers the whole item too: who reads what changed finds it there.
    New,
}

impl<'s> Statement<'s> {
    /// Reads one, with what stands in the place of its question marks.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when it is none of these.
    pub fn read(text: &'s str, parameters: &'s [Attribute]) -> Result<Self, Invalid> {
        let mut reader = Reader::new(text, None, Values::InOrder(parameters.iter()))?;
        let statement = if reader.take_word("INSERT") {
            insertion(&mut reader)?
        } else if reader.take_word("UPDATE") {
            let table = reader.name()?;
            let changes = changes(&mut reader)?;
            reader.word("WHERE")?;
            Self::Update {
                table,
                changes,
                condition: reader.condition()?,
                returning: returning(&mut reader)?,
            }
        } else if reader.take_word("DELETE") {
            reader.word("FROM")?;
            let table = reader.name()?;
            reader.word("WHERE")?;
            Self::Delete {
                table,
                condition: reader.condition()?,
                returning: returning(&mut reader)?,
            }
        } else {
            reader.word("SELECT")?;
            reader.sign("*")?;
            reader.word("FROM")?;
            let table = reader.name()?;
            reader.word("WHERE")?;
            Self::Select {
                table,
                condition: reader.condition()?,
            }
        };
        reader.end()?;
        Ok(statement)
    }
}

fn insertion<'s>(reader: &mut Reader<'s>) -> Result<Statement<'s>, Invalid> {
    reader.word("INTO")?;
    let table = reader.name()?;
    reader.word("VALUE")?;
    reader.sign("{")?;
    let mut item = Item::default();
    loop {
        let name = reader.name()?;
        reader.sign(":")?;
        let value = reader.value()?;
        let value = value.ok_or_else(|| Invalid("expected a value".to_owned()))?;
        item.set(name, value);
        if !reader.take_sign(",") {
            break;
        }
    }
    reader.sign("}")?;
    Ok(Statement::Insert { table, item })
}

fn changes(reader: &mut Reader<'_>) -> Result<Vec<Change>, Invalid> {
    let mut changes = Vec::new();
    loop {
        if reader.take_word("SET") {
            changes.push(reader.assignment()?);
            while reader.take_sign(",") {
                changes.push(reader.assignment()?);
            }
        } else if reader.take_word("REMOVE") {
            changes.push(Change::Remove(reader.path()?));
        } else {
            return Ok(changes);
        }
    }
}

fn returning(reader: &mut Reader<'_>) -> Result<Returning, Invalid> {
    if !reader.take_word("RETURNING") {
        return Ok(Returning::Nothing);
    }
    if !reader.take_word("ALL") {
        reader.word("MODIFIED")?;
    }
    let returning = if reader.take_word("OLD") {
        Returning::Old
    } else {
        reader.word("NEW")?;
        Returning::New
    };
    reader.sign("*")?;
    Ok(returning)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Attribute {
        Attribute::S(text.to_owned())
    }

    fn number(digits: &str) -> Attribute {
        Attribute::N(digits.to_owned())
    }

    #[test]
    fn an_insertion_takes_its_parameters_in_order() {
        let parameters = [text("a"), number("1")];
        let statement = Statement::read(
            r#"INSERT INTO "ledger" VALUE {'notificationId': ?, 'at': ?}"#,
            &parameters,
        );
        let expected = Item(vec![
            ("notificationId".to_owned(), text("a")),
            ("at".to_owned(), number("1")),
        ]);
        assert_eq!(
            statement,
            Ok(Statement::Insert {
                table: "ledger",
                item: expected
            })
        );
    }

    #[test]
    fn an_update_counts_its_parameters_through_sets_and_conditions() {
        let parameters = [
            text("sent"),
            text("r"),
            number("1"),
            text("id-1"),
            number("2"),
            text("claimed"),
            text("scheduled"),
        ];
        let statement = Statement::read(
            r#"UPDATE "ledger" SET "email"=? SET "results"[0]=? SET "successfulChannels"="successfulChannels"+? WHERE "notificationId"=? AND "email"."attempt"=? AND "email"."state" IN [?,?]"#,
            &parameters,
        )
        .unwrap();
        let Statement::Update { changes, condition, .. } = statement else {
            panic!("{statement:?}");
        };
        assert_eq!(changes.len(), 3);
        assert_eq!(condition.fixed("notificationId"), Some(&text("id-1")));
        let item = |state| -> Item {
            serde_json::from_str(&format!(
                r#"{{"notificationId":{{"S":"id-1"}},"email":{{"M":{{"attempt":{{"N":"2"}},"state":{{"S":"{state}"}}}}}}}}"#
            ))
            .unwrap()
        };
        assert!(condition.holds(&item("claimed")));
        assert!(!condition.holds(&item("sent")));
    }

    #[test]
    fn what_an_update_returns_is_read() {
        let parameters = [number("1"), text("a")];
        for (words, expected) in [
            ("", Returning::Nothing),
            ("RETURNING ALL OLD *", Returning::Old),
            ("RETURNING MODIFIED NEW *", Returning::New),
        ] {
            let text = format!(r#"UPDATE "t" SET a=? REMOVE b WHERE id=? {words}"#);
            let Ok(Statement::Update { returning, .. }) = Statement::read(&text, &parameters) else {
                panic!("{words}");
            };
            assert_eq!(returning, expected);
        }
    }

    #[test]
    fn what_is_no_statement_about_one_item_is_refused() {
        for text in [
            "",
            "DROP TABLE x",
            "INSERT INTO t VALUE {'a': ?}",
            "UPDATE t SET a=1",
            "SELECT a FROM t",
        ] {
            assert!(Statement::read(text, &[]).is_err(), "{text}");
        }
    }
}
