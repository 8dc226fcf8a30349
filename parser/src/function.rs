//! Statements about functions: `CREATE FUNCTION … LANGUAGE LUA`, and what there is not.

use datafusion_sql::parser::Statement as DfStatement;
use sqlparser::ast::{
    self, CreateFunction, CreateFunctionBody, Expr, FunctionCalledOnNull, FunctionReturnType,
    ObjectName, OperateFunctionArg,
};
use sqlparser::tokenizer::{Token, Word};

use crate::cut::Cutter;
use crate::diagnostic::Diagnostic;
use crate::error::is_reserved;
use crate::statement::FunctionClause;
use crate::tokens::Tokens;

mod options;
mod parameters;
mod returns;

use options::Options;

const SHAPE: &str =
    "write CREATE FUNCTION name(parameter type, …) RETURNS type LANGUAGE LUA AS $$ … $$";

/// The function that the statement defines, with the statement itself; none where it is another
/// one. Refuses statements about functions that do not exist here.
pub(crate) fn function(
    tokens: &Tokens<'_>,
) -> Result<Option<(FunctionClause, DfStatement)>, Diagnostic> {
    refuse_statements(tokens)?;
    let Some(head) = Head::read(tokens)? else { return Ok(None) };
    let cutter = Cutter::new(tokens);
    let (name, open) = cutter.function_name(head.name)?;
    let parameters = cutter.parameters(open)?;
    let mut options = cutter.options(tokens.partner(open) + 1)?;
    let lacks = |what: &str| {
        let words = tokens.span_of(0..head.function + 1);
        Diagnostic::new(format!("CREATE FUNCTION needs {what}")).at(words).with_hint(SHAPE)
    };
    let Some((returns, returns_span)) = options.returns.take() else {
        return Err(lacks("RETURNS type"));
    };
    if options.language.is_none() {
        return Err(lacks("LANGUAGE LUA"));
    }
    let Some(code_at) = options.code else {
        return Err(lacks("its code: AS $$ … $$"));
    };
    let clause = FunctionClause {
        name,
        or_replace: head.or_replace,
        if_not_exists: head.if_not_exists,
        parameters,
        returns,
        returns_span,
        code: cutter.code(code_at),
        is_strict: matches!(
            options.null_input,
            Some(FunctionCalledOnNull::Strict | FunctionCalledOnNull::ReturnsNullOnNullInput)
        ),
    };
    let body = statement(&clause, options, tokens, code_at);
    Ok(Some((clause, body)))
}

/// `CREATE [OR REPLACE] FUNCTION [IF NOT EXISTS]`
struct Head {
    or_replace: bool,
    if_not_exists: bool,
    /// The index of FUNCTION.
    function: usize,
    /// The index of the name.
    name: usize,
}

impl Head {
    fn read(tokens: &Tokens<'_>) -> Result<Option<Self>, Diagnostic> {
        let Some(function) = function_keyword(tokens, "CREATE") else { return Ok(None) };
        let or_replace = tokens.is_word(1, "OR");
        if or_replace && !tokens.is_word(2, "REPLACE") {
            let found = tokens.describe(2);
            return Err(Diagnostic::new(format!("expected REPLACE after OR, found {found}"))
                .at(tokens.span(2)));
        }
        for (index, word) in (1..function).filter_map(|index| Some((index, tokens.word(index)?))) {
            match word.as_str() {
                "AGGREGATE" => return Err(aggregate(tokens, function)),
                "TEMP" | "TEMPORARY" => {
                    return Err(Diagnostic::new(format!("not supported: {word} functions"))
                        .at(tokens.span(index))
                        .with_hint("a function lives as long as the session in any case"));
                }
                _ => {}
            }
        }
        let mut name = function + 1;
        let if_not_exists = tokens.is_word(name, "IF") && !tokens.is(name + 1, &Token::LParen);
        if if_not_exists {
            for (word, index) in ["NOT", "EXISTS"].into_iter().zip(name + 1..) {
                if !tokens.is_word(index, word) {
                    let found = tokens.describe(index);
                    return Err(Diagnostic::new(format!("expected {word}, found {found}"))
                        .at(tokens.span(index))
                        .with_hint("write CREATE FUNCTION IF NOT EXISTS name(…)"));
                }
            }
            name += 3;
        }
        if if_not_exists && or_replace {
            return Err(Diagnostic::new("OR REPLACE and IF NOT EXISTS exclude each other")
                .at(tokens.span_of(function + 1..name)));
        }
        Ok(Some(Self { or_replace, if_not_exists, function, name }))
    }
}

/// The index of FUNCTION in `CREATE … FUNCTION` and `DROP … FUNCTION`.
fn function_keyword(tokens: &Tokens<'_>, verb: &str) -> Option<usize> {
    if !tokens.is_word(0, verb) {
        return None;
    }
    let mut index = 1;
    if tokens.is_word(index, "OR") {
        index += 2;
    }
    while matches!(tokens.word(index).as_deref(), Some("TEMP" | "TEMPORARY" | "AGGREGATE")) {
        index += 1;
    }
    tokens.is_word(index, "FUNCTION").then_some(index)
}

fn refuse_statements(tokens: &Tokens<'_>) -> Result<(), Diagnostic> {
    let is_aggregate = tokens.is_word(1, "AGGREGATE");
    if is_aggregate && (tokens.is_word(0, "CREATE") || tokens.is_word(0, "DROP")) {
        return Err(aggregate(tokens, 1 + usize::from(tokens.is_word(2, "FUNCTION"))));
    }
    let Some(function) = function_keyword(tokens, "DROP") else { return Ok(()) };
    let mut index = function;
    while index < tokens.len() {
        match tokens.token(index) {
            Some(Token::LParen) => index = tokens.partner(index),
            // DataFusion would drop the first one only.
            Some(Token::Comma) => {
                return Err(Diagnostic::new("DROP FUNCTION takes one name")
                    .at(tokens.span(index))
                    .with_hint("write a statement for each function"));
            }
            _ => {}
        }
        index += 1;
    }
    Ok(())
}

fn aggregate(tokens: &Tokens<'_>, last: usize) -> Diagnostic {
    let verb = tokens.word(0).unwrap_or_default();
    let hint = if verb == "DROP" {
        "DROP FUNCTION drops a Lua function"
    } else {
        "REDUCE LUA folds the rows of a group: FROM … |> REDUCE LUA '…' BY (key) AS (value)"
    };
    Diagnostic::new(format!("not supported: {verb} AGGREGATE FUNCTION"))
        .at(tokens.span_of(0..last + 1))
        .with_hint(hint)
}

/// The statement as sqlparser would give it, if it knew IF NOT EXISTS and the clauses in any
/// order.
fn statement(
    clause: &FunctionClause,
    options: Options,
    tokens: &Tokens<'_>,
    code_at: usize,
) -> DfStatement {
    let argument = |parameter: &crate::statement::ColumnDecl| OperateFunctionArg {
        mode: None,
        name: Some(parameter.name.clone()),
        data_type: parameter.data_type.clone().unwrap_or(ast::DataType::Text),
        default_expr: None,
    };
    let value = match tokens.token(code_at) {
        Some(Token::DollarQuotedString(text)) => ast::Value::DollarQuotedString(text.clone()),
        _ => ast::Value::SingleQuotedString(clause.code.text.clone()),
    };
    let body = Expr::Value(value.with_span(clause.code.span));
    let function = CreateFunction {
        or_alter: false,
        or_replace: clause.or_replace,
        temporary: false,
        if_not_exists: clause.if_not_exists,
        name: ObjectName::from(clause.name.clone()),
        args: Some(clause.parameters.iter().map(argument).collect()),
        return_type: Some(FunctionReturnType::DataType(clause.returns.clone())),
        function_body: Some(CreateFunctionBody::AsBeforeOptions { body, link_symbol: None }),
        behavior: options.behavior,
        called_on_null: options.null_input,
        parallel: None,
        security: None,
        set_params: Vec::new(),
        using: None,
        language: options.language,
        determinism_specifier: None,
        options: None,
        remote_connection: None,
    };
    DfStatement::Statement(Box::new(ast::Statement::CreateFunction(function)))
}

impl Cutter<'_, '_> {
    /// The name at `at`, and the index of the `(` behind it.
    fn function_name(&self, at: usize) -> Result<(ast::Ident, usize), Diagnostic> {
        let tokens = self.tokens;
        let is_plain = |word: &&Word| word.quote_style.is_some() || !is_reserved(&word.value);
        let word = match tokens.token(at) {
            Some(Token::Word(word)) => Some(word),
            _ => None,
        };
        let Some(word) = word.filter(is_plain) else {
            return Err(expected("a function name", tokens, at));
        };
        if tokens.is(at + 1, &Token::Period) {
            let last = if tokens.is(at + 2, &Token::LParen) { at + 2 } else { at + 3 };
            let name = tokens.token(at + 2).map_or("name".to_string(), ToString::to_string);
            return Err(Diagnostic::new("not supported: a function in a schema")
                .at(tokens.span_of(at..last))
                .with_hint(format!("write CREATE FUNCTION {name}(…)")));
        }
        if !tokens.is(at + 1, &Token::LParen) {
            return Err(expected("`(`", tokens, at + 1));
        }
        Ok((word.clone().into_ident(tokens.span(at)), at + 1))
    }
}

fn expected(what: &str, tokens: &Tokens<'_>, at: usize) -> Diagnostic {
    Diagnostic::new(format!("expected {what}, found {}", tokens.describe(at)))
        .at(tokens.span(at))
        .with_hint(SHAPE)
}
