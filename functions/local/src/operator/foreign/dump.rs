//! Tables in a dump of MySQL: what its `INSERT`s say, in columns that they or a `CREATE TABLE` name.

use std::collections::HashMap;

use anyhow::{Context as _, bail};
use sqlparser::ast::{Expr, Insert, SetExpr, Statement, UnaryOperator, Value};
use sqlparser::dialect::MySqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

/// A table's rows.
pub(super) struct Table {
    pub(super) name: String,
    columns: Vec<String>,
    /// Values by column; nulls are absent.
    pub(super) rows: Vec<HashMap<String, String>>,
}

impl Table {
    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|own| own == column)
    }
}

/// All tables that rows are inserted into. Statements of other kinds are passed over, whatever they say.
pub(super) fn tables(text: &str) -> anyhow::Result<Vec<Table>> {
    let dialect = MySqlDialect {};
    let tokens = Tokenizer::new(&dialect, text).tokenize().context("it is no dump of MySQL")?;
    let (mut created, mut tables) = (HashMap::new(), Vec::<Table>::new());
    for statement in tokens.split(|token| *token == Token::SemiColon) {
        let parse = || Parser::new(&dialect).with_tokens(statement.to_vec()).parse_statement();
        match first_word(statement) {
            Some(Keyword::CREATE) => {
                // Of those that can't be read the columns aren't known: they are missed below, if at all.
                if let Ok(Statement::CreateTable(table)) = parse() {
                    let columns = table.columns.iter().map(|column| column.name.value.to_lowercase()).collect();
                    created.insert(table.name.to_string(), columns);
                }
            }
            Some(Keyword::INSERT | Keyword::REPLACE) => match parse().context("an INSERT can't be read")? {
                Statement::Insert(insert) => add(insert, &created, &mut tables)?,
                _ => bail!("an INSERT can't be read"),
            },
            Some(_) | None => {}
        }
    }
    Ok(tables)
}

fn first_word(statement: &[Token]) -> Option<Keyword> {
    statement.iter().find_map(|token| match token {
        Token::Word(word) => Some(word.keyword),
        _ => None,
    })
}

fn add(insert: Insert, created: &HashMap<String, Vec<String>>, tables: &mut Vec<Table>) -> anyhow::Result<()> {
    let name = insert.table.to_string();
    let named: Vec<String> = insert.columns.iter().map(ToString::to_string).map(unquoted).collect();
    let columns = match (named.is_empty(), created.get(&name)) {
        (false, _) => named,
        (true, Some(columns)) => columns.clone(),
        (true, None) => bail!("{name} names no columns: dump it by `mysqldump --complete-insert`"),
    };
    let Some(SetExpr::Values(values)) = insert.source.map(|query| *query.body) else {
        bail!("{name} is filled by something else than values")
    };
    let rows = values.rows.into_iter().map(|row| fields(&columns, row.content));
    let rows = rows.collect::<anyhow::Result<Vec<_>>>().with_context(|| format!("a row of {name}"))?;
    match tables.iter_mut().find(|table| table.name == name) {
        Some(table) => table.rows.extend(rows),
        None => tables.push(Table { name, columns, rows }),
    }
    Ok(())
}

fn unquoted(name: String) -> String {
    name.trim_matches('`').to_lowercase()
}

fn fields(columns: &[String], values: Vec<Expr>) -> anyhow::Result<HashMap<String, String>> {
    anyhow::ensure!(columns.len() == values.len(), "{} values for {} columns", values.len(), columns.len());
    let mut fields = HashMap::new();
    for (column, expression) in columns.iter().zip(values) {
        if let Some(text) = literal(expression).with_context(|| format!("column {column}"))? {
            fields.insert(column.clone(), text);
        }
    }
    Ok(fields)
}

fn literal(expression: Expr) -> anyhow::Result<Option<String>> {
    match expression {
        Expr::Value(value) => match value.value {
            Value::Null => Ok(None),
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Ok(Some(text)),
            Value::Number(digits, _) => Ok(Some(digits)),
            Value::Boolean(value) => Ok(Some(u8::from(value).to_string())),
            Value::HexStringLiteral(digits) => Ok(Some(format!("0x{digits}"))),
            other => bail!("{other} is no text and no number"),
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => Ok(literal(*expr)?.map(|digits| format!("-{digits}"))),
        // A string whose bytes have a named encoding, as `_binary 'text'`.
        Expr::Prefixed { value, .. } => literal(*value),
        other => bail!("{other} is no value"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "\
/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS `tp_user`;
CREATE TABLE `tp_user` (
  `id` int unsigned NOT NULL AUTO_INCREMENT,
  `nickname` varchar(50) COLLATE utf8mb4_unicode_ci DEFAULT '' COMMENT 'it''s; a name',
  `score` int DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
LOCK TABLES `tp_user` WRITE;
INSERT INTO `tp_user` VALUES (1,'O\\'Brien; \\\"x\\\"\\n','-5'),(2,'昵称',NULL);
INSERT INTO `tp_user` VALUES (3,'',-7);
UNLOCK TABLES;
-- Dump completed
";

    #[test]
    fn a_dump_as_mysql_writes_it() {
        let tables = tables(DUMP).expect("a dump");
        let [table] = tables.as_slice() else { panic!("{} tables", tables.len()) };
        let cell = |row: usize, column: &str| table.rows[row].get(column).map(String::as_str);
        assert_eq!(table.rows.len(), 3);
        assert_eq!(cell(0, "nickname"), Some("O'Brien; \"x\"\n"));
        assert_eq!((cell(0, "score"), cell(1, "score"), cell(2, "score")), (Some("-5"), None, Some("-7")));
        assert_eq!((cell(1, "nickname"), cell(2, "nickname")), (Some("昵称"), Some("")));
    }

    #[test]
    fn rows_without_names_of_columns_are_refused() {
        let told = tables("INSERT INTO `user` VALUES (1,'a');").err().expect("refused").to_string();
        assert!(told.contains("--complete-insert"), "{told}");
        assert!(tables("INSERT INTO `user` (`id`,`name`) VALUES (1);").is_err());
        assert!(tables("INSERT INTO `user` (`id`) VALUES (1 + 1);").is_err());
    }
}
