"""Look up (UC-02.01): whether an asset is registered already, before anybody registers it a second time."""

import streamlit as st

from pages.components.asset_form.form import AssetForm
from pages.components.asset_form.lookup import fill_empty, look_up_step
from pages.components.common.form_state import FormState
from pages.frame import session
from services.assets.registration.lookup import LookupOutcome
from services.core.identity.permissions import may
from services.core.register_settings import read_settings

actor = session.actor()
limit = next(int(setting.value) for setting in read_settings(actor) if setting.kind.key == "asset.lookups_per_hour")
st.title("Look up", anchor=False)
st.caption(
    f"Is it in the register already? Every look-up is logged, and your organisation makes at most "
    f"{limit} an hour. For other providers' assets we only confirm that they exist."
)
answer = look_up_step(actor, FormState("look-up"))
offered = answer is not None and answer.outcome is LookupOutcome.NONE and may(actor, "asset.register")
if answer and offered and st.button("Register it with what is known", icon=":material/add_circle:", type="primary"):
    fill_empty(AssetForm(actor, FormState("register")), answer.suggested_values)
    st.switch_page("pages/assets/register_asset.py")
