//! The deployment's key of mailed codes: with a code's salt it gives the code again, so that the same one can be mailed
//! once more.

use anyhow::Context;

use super::{CodeKey, Identity, Result};

impl Identity {
    /// The key, made where there is none yet. Of many processes that start together one wins, and the others read what it wrote.
    pub(super) async fn code_key(&self) -> Result<&CodeKey> {
        self.code_key.get_or_try_init(|| self.load_code_key()).await
    }

    async fn load_code_key(&self) -> Result<CodeKey> {
        if let Some(key) = self.store.signing_record().await?.code_key {
            return Ok(key);
        }
        let made = CodeKey::generate(&*self.chance)?;
        if self.store.add_code_key(&made).await? {
            return Ok(made);
        }
        let record = self.store.signing_record().await?;
        Ok(record.code_key.context("the key of mailed codes was not kept")?)
    }
}
