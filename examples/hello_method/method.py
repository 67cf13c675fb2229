"""A whole method: keep the half of the teacher's labels it is most sure of, train the student on them, predict.

Try it:      aar submit examples/hello_method --problem code
The contract (`Task`, `Rows`, `Fit`, `Predictions`) is `aar/types.py`; there is nothing else to know.
"""

import numpy as np

from aar.types import Fit, Predictions, Task


def run(task: Task) -> Predictions:
    weak = task.train.weak  # the teacher's P(label = 1), one per training row
    sure = np.abs(weak - 0.5)
    rows = task.train.take(sure >= np.median(sure))
    (model,) = task.student.fit([Fit(rows, (rows.weak > 0.5).astype("float32"), seed=task.seed)])
    return Predictions(task.test.ids, model.predict(task.test))
