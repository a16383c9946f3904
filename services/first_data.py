"""What a register is born with: its identifier, code lists and category schemas. Laid down once, harmless when repeated."""

from services.core.actor import Actor, system_actor
from services.core.operation import operation
from services.core.register_settings import give_register_id, register_id


@operation("UC-05.07", permission="setting.change")
def lay_first_data(actor: Actor) -> bool:
    """Lay down what every register starts with; whether anything was missing."""
    if register_id():
        return False
    give_register_id()
    return True


def begin() -> bool:
    """Lay down the first data as the register itself; whether the register was new."""
    return lay_first_data(system_actor())
