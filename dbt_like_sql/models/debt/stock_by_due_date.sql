-- One row per view and due-date bucket; not_due stands beside: it is debt, not stock.
-- Key: view, bucket. Once all instalments of an e-invoice are due, each stands in its own bucket (docs/rules.md#rule-2):
-- what was paid extinguished the first ones. A document counts once in each bucket in which it has something.
with instalments as (
    select
        sdi.id_documento,
        unnest(sdi.instalments) as due_date,
        unnest(list_transform(sdi.instalments, lambda due: list_sum(list_transform(
            list_filter(invoices.pagamenti, lambda part: part.data_scadenza = due), lambda part: part.importo
        )))) as amount
    from sdi_documents as sdi
    join stg_sdi_invoices as invoices using (file, line)
    where sdi.instalments is not null
      and not list_bool_or(list_transform(invoices.pagamenti, lambda part: part.importo is null or part.importo < 0))
),

laid_out as (
    select
        positions.view,
        positions.id_documento,
        parts.due_date,
        -- From the last one back; the first has what the others leave.
        greatest(0, least(
            if(parts.due_date = min(parts.due_date) over document, positions.open_amount, parts.amount),
            positions.open_amount - coalesce(sum(parts.amount) over later, 0)
        )) as amount
    from debt_positions as positions
    join instalments as parts using (id_documento)
    where positions.view = 'right' and positions.stock > 0
    window
        document as (partition by positions.view, positions.id_documento),
        later as (
            partition by positions.view, positions.id_documento order by parts.due_date desc
            rows between unbounded preceding and 1 preceding
        )
    qualify max(parts.due_date) over document = positions.due_date
),

portions as (
    select view, due_date_bucket(reference_date() - due_date) as bucket, id_documento, sum(amount) as amount
    from laid_out
    where amount <> 0
    group by view, bucket, id_documento
    union all
    select positions.view, positions.bucket, positions.id_documento, positions.open_amount
    from debt_positions as positions
    anti join laid_out using (view, id_documento)
    where positions.open_amount <> 0
)

select
    ente_code() as ente,
    view,
    reference_date() as reference_date,
    bucket,
    sum(amount) as amount,
    count(*) as documents
from portions
group by view, bucket
