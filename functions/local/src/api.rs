//! What the development server shows of the service's endpoints: the OpenAPI documents, and a page to try calls on.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::{Router, routing::get};
use polygate_shared::openapi::{documents, text_of};
use std::sync::Arc;
use swagger_ui_dist::{ApiDefinition, OpenApiSource, generate_routes};

use crate::pages::{page, script};

/// Where Swagger UI's own files are.
const ASSETS: &str = "/_local/swagger";

/// As the other pages', and with inline styles, which Swagger UI sets.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Each document with its name.
type Documents = Arc<[(&'static str, String)]>;

/// Draws the document that the page names, beside the links to the others.
const SCRIPT: &str = "
const { document: name } = document.getElementById('api').dataset;
SwaggerUIBundle({
  url: `/_local/openapi/${name}.json`,
  dom_id: '#api',
  deepLinking: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  withCredentials: true,
  validatorUrl: null,
});
";

/// The pages.
pub(crate) fn router() -> Router {
    let documents: Documents = documents().into_iter().map(|(name, document)| (name, text_of(&document))).collect();
    // Of these only the files are linked: the index has its script in itself, which the pages' policy forbids.
    let assets = ApiDefinition { uri_prefix: ASSETS, api_definition: OpenApiSource::Uri("/_local/api"), title: None };
    Router::new()
        .route("/_local/api", get(index))
        .route("/_local/api/{name}", get(try_page))
        .route("/_local/api.js", get(|| async { script(SCRIPT) }))
        .route("/_local/openapi/{file}", get(document))
        .with_state(documents)
        .merge(generate_routes(assets))
}

async fn index(State(documents): State<Documents>) -> Html<String> {
    let link = |(name, _): &(&str, String)| {
        format!(
            "<li><a href=\"/_local/api/{name}\">{name}</a> (<a href=\"/_local/openapi/{name}.json\">OpenAPI 3.1</a>)</li>\n"
        )
    };
    let list: String = documents.iter().map(link).collect();
    page("Endpoints, to read and to try", &format!("<ul>\n{list}</ul>"))
}

async fn try_page(State(documents): State<Documents>, Path(name): Path<String>) -> Response {
    let Some((name, _)) = documents.iter().find(|(known, _)| *known == name) else { return unknown() };
    let links: String =
        documents.iter().map(|(other, _)| format!("<a href=\"/_local/api/{other}\">{other}</a> · ")).collect();
    let body = format!(
        "<p>{links}<a href=\"/_local/openapi/{name}.json\">this document</a></p>
<link rel=\"stylesheet\" href=\"{ASSETS}/swagger-ui.css\">
<div id=\"api\" style=\"background:#fff;color-scheme:light;border-radius:.5rem\" data-document=\"{name}\"><noscript>This page needs JavaScript; the document is plain JSON.</noscript></div>
<script src=\"{ASSETS}/swagger-ui-bundle.js\"></script>
<script src=\"/_local/api.js\"></script>"
    );
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], page(&format!("Try {name}"), &body)).into_response()
}

async fn document(State(documents): State<Documents>, Path(file): Path<String>) -> Response {
    let found = documents.iter().find(|(name, _)| file.strip_suffix(".json") == Some(name));
    let Some((_, text)) = found else { return unknown() };
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], text.clone()).into_response()
}

fn unknown() -> Response {
    (StatusCode::NOT_FOUND, "There is no such document: see /_local/api.\n").into_response()
}
