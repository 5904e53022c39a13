"""The table that scanning raw readings fills, a column a record: what the reading says, and where its fields lie in the bytes.

    {"device":"D","interval_s":1800,"method":"m","quality":"ACTUAL","quantities_nano":[1,2],"ranges":[…],"reason":"r",
                                   ╵         ╵                 ╵                  ╵   ╵           ╵
                            HEAD_END   QUALITY_FIELD  QUALITY_FIELD_END      VALUES   VALUES_END  RANGES

     "register":"R","sequence":7,"source":{…},"start_ms":0,"type":"day","unit":"kWh","v":1,"version":0}
    ╵              ╵                         ╵            ╵            ╵
    REGISTER_FIELD REGISTER_FIELD_END        START_FIELD  START_FIELD_END   TAIL

A field's place is that of the comma before it. RANGES is -1 where there are none. Of a register read only these count: HEAD_END stands
after its quality, REGISTER_FIELD before its register, REGISTER_FIELD_END after its sequence, TAIL before its type.
"""

from __future__ import annotations

from typing import Final

TYPES: Final = ("interval", "window", "day", "register")
"""The types of readings; a position in it is the code in row TYPE."""
INTERVAL, WINDOW, DAY, REGISTER_READ = range(4)

(AT, KIND, TYPE, NAME, START, LENGTH, NUMBER) = range(7)
"""Position in the batch, INTERVALS or REGISTER, code of the type, number of the name, start or instant in ms, seconds or LOCAL_DAYS
(0 of a register read), elements."""
(
    HEAD_END, QUALITY_FIELD, QUALITY_FIELD_END, VALUES, VALUES_END, RANGES, REGISTER_FIELD, REGISTER_FIELD_END, START_FIELD,
    START_FIELD_END, TAIL, ROWS,
) = range(7, 19)  # fmt: skip
"""Positions in the bytes, and how many rows there are."""
