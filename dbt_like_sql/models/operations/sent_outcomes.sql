-- One row per operation and attempt sent to PCC that was answered: PCC's latest answer.
-- Key: operation_id, attempt.
select
    ente_code() as ente,
    operation_id,
    attempt,
    max_by(outcome, row_id) as outcome,
    nullif(max_by(coalesce(answer_code, ''), row_id), '') as answer_code,
    nullif(max_by(coalesce(reason, ''), row_id), '') as reason,
    max_by(received_at, row_id) as answered_at
from sent_answers
where operation_id is not null
group by operation_id, attempt
