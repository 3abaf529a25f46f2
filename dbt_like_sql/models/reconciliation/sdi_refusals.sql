-- One row per document that the ente refused through SDI (EC02), on either side (docs/rules.md#rule-1 and docs/rules.md#rule-7).
-- Key: erp_row, pcc_row. Found by lot and number, else as in the tier exact; a document of another lot is another
-- transmission (a supplier sends a refused invoice again under the same number) and is not refused.
with refused as (
    select row_id, sdi_id, creditor, number_key, issue_date, sign
    from sdi_invoice_states
    where sdi_state = 'RIFIUTATA'
),

-- Refusals of invoices whose file was not delivered: the lot alone leads to the document.
refused_lots as (
    select sdi_id, numero_fattura
    from (select * from messages where esito = 'EC02' and holds and link = 'LOT') as refusals
    anti join (select sdi_id from messages where esito = 'EC01' and holds and link = 'LOT') as accepted using (sdi_id)
),

sides as (
    select row_id as erp_row, null::bigint as pcc_row, lotto_sdi, creditor, creditor_known, number_key, issue_date, sign from erp_identities
    union all
    select null, row_id, lotto_sdi, creditor, creditor_known, number_key, issue_date, sign from pcc_documents
),

-- As SDI's files tell it, or as either side has it under a lot that was not refused.
sent_again as (
    select creditor, number_key, issue_date, sign
    from sdi_invoice_states
    semi join refused using (creditor, number_key, issue_date, sign)
    where sdi_state is distinct from 'RIFIUTATA'
      and sdi_state is distinct from 'SCARTATA'
    union
    select creditor, number_key, issue_date, sign
    from sides
    semi join refused using (creditor, number_key, issue_date, sign)
    where lotto_sdi is not null
      and lotto_sdi not in (select sdi_id from refused where sdi_id is not null)
      and lotto_sdi not in (select sdi_id from refused_lots)
),

found as (
    select sides.erp_row, sides.pcc_row, refused.sdi_id
    from sides
    join refused on refused.sdi_id = sides.lotto_sdi and refused.number_key = sides.number_key
    union
    select sides.erp_row, sides.pcc_row, refused_lots.sdi_id
    from sides
    join refused_lots on refused_lots.sdi_id = sides.lotto_sdi
    where refused_lots.numero_fattura is null
       or normalised_number(refused_lots.numero_fattura, sides.issue_date) = sides.number_key
    union
    select one.erp_row, one.pcc_row, one.sdi_id
    from (
        select
            sides.erp_row,
            sides.pcc_row,
            refused.sdi_id,
            count(*) over (partition by refused.row_id, sides.erp_row is null) as claimants
        from sides
        join refused using (creditor, number_key, issue_date, sign)
        anti join sent_again using (creditor, number_key, issue_date, sign)
        where sides.creditor_known
          and coalesce(sides.lotto_sdi = refused.sdi_id, true)
    ) as one
    where one.claimants = 1
)

select
    ente_code() as ente,
    found.erp_row,
    found.pcc_row,
    min(found.sdi_id) as sdi_id,
    string_agg(distinct messages.descrizione, '; ') as descrizione
from found
left join messages on messages.sdi_id = found.sdi_id and messages.esito = 'EC02' and messages.holds
group by found.erp_row, found.pcc_row
