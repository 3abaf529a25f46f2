# ruff: noqa
"""indicators as in section 8."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What was published before gets what it meant then, until the next run.
    op.add_column('deadlines', sa.Column('every', sa.Text(), server_default=sa.text("'YEAR'"), nullable=False, comment='How often it comes'), schema='pcc')
    op.alter_column('deadlines', 'every', server_default=None, schema='pcc')
    op.add_column('deadlines', sa.Column('owed', sa.Boolean(), server_default=sa.text("true"), nullable=False, comment='No: only advised, since the ente is on SIOPE+ (L. 145/2018 art. 1 c. 867)'), schema='pcc')
    op.alter_column('deadlines', 'owed', server_default=None, schema='pcc')
    op.add_column('deadlines', sa.Column('documents', sa.BigInteger(), nullable=True, comment='Monthly: debts whose term was exceeded in the month before and that were unpaid at its end; null: not known yet'), schema='pcc')
    op.add_column('deadlines', sa.Column('amount', sa.Numeric(precision=18, scale=2), nullable=True, comment='Their amount [EUR]'), schema='pcc')
    op.alter_column('deadlines', 'met_by',
               existing_type=sa.TEXT(),
               comment='What shows that it is met: publication of figures for that day, delivery:<kind>, or register:<column>, what the ente declares; null: nothing here does',
               existing_comment='What shows that it is met: publication of figures for that day, or delivery:<kind>; null: nothing here does',
               existing_nullable=True,
               schema='pcc')
    op.alter_column('deadlines', 'delivered_on',
               existing_type=sa.DATE(),
               comment='Day of the delivery that meets it, or that the ente declares',
               existing_comment='Day of the delivery that meets it',
               existing_nullable=True,
               schema='pcc')
    op.alter_column('fgdc_steps', 'name',
               existing_type=sa.TEXT(),
               comment='Step (L. 145/2018 art. 1 c. 859, 862, 863, 868)',
               existing_comment='Step (L. 145/2018 art. 1 c. 859, 862)',
               existing_nullable=False,
               schema='pcc')
    op.alter_column('fgdc_steps', 'value',
               existing_type=sa.NUMERIC(precision=18, scale=2),
               comment='What is held against the bound: euro, days or percent; null where there is none, or the budget is not stated',
               existing_comment='What is held against the bound: euro, days or percent; null where the budget is not stated',
               existing_nullable=True,
               schema='pcc')
    op.alter_column('fgdc_steps', 'passed',
               existing_type=sa.BOOLEAN(),
               comment='No duty arises from this step; null where that is not known',
               existing_comment='No duty arises from this step; null where the budget is not stated',
               existing_nullable=True,
               schema='pcc')
    op.create_table_comment(
        'former_readings',
        'One row per reading of a delivery that a later reading of the same bytes replaced (pcc quarantine release, pcc restage)',
        existing_comment='One row per reading of a delivery that a later reading of the same bytes replaced (pcc quarantine release)',
        schema='pcc'
    )
    op.add_column('indicator_documents', sa.Column('suspended_days', sa.BigInteger(), server_default=sa.text("0"), nullable=False, comment='Days of suspension taken off [days]'), schema='pcc')
    op.alter_column('indicator_documents', 'suspended_days', server_default=None, schema='pcc')
    op.alter_column('indicator_documents', 'name',
               existing_type=sa.TEXT(),
               comment='ITP payments of the period, days from due date; TMP, TMR documents received in the year, days from issue and from due date; DELAY those due in the year, and those paid in it before they are due; INTEREST on what was paid late in the period; INTEREST_UNPAID on what is unpaid at D; FGDC_RATE, FGDC_AMOUNT; STOCK; DEBT all that is open at D; CREDITORS how many it is owed to (rules section 8)',
               existing_comment='ITP payments of the period, days from due date; TMP, TMR documents received in the year, days from reception and from due date; DELAY those also due in it; INTEREST on what was paid late in the period; INTEREST_UNPAID on what is unpaid at D; FGDC_RATE, FGDC_AMOUNT; STOCK; DEBT all that is open at D; CREDITORS how many it is owed to (rules section 8)',
               existing_nullable=False,
               schema='pcc')
    op.alter_column('indicator_documents', 'from_day',
               existing_type=sa.DATE(),
               comment='Day from which days count: due date, for TMP issue',
               existing_comment='Day from which days count: due date, for TMP reception',
               existing_nullable=False,
               schema='pcc')
    op.alter_column('indicator_documents', 'days',
               existing_type=sa.BIGINT(),
               comment='Days from one to the other, less those of suspension [days]',
               existing_comment='Days from one to the other [days]',
               existing_nullable=False,
               schema='pcc')
    op.add_column('indicators', sa.Column('simulated', sa.Boolean(), server_default=sa.text("false"), nullable=False, comment='The year still runs, and what is unpaid counts to its end as PCC does (rules section 8)'), schema='pcc')
    op.alter_column('indicators', 'simulated', server_default=None, schema='pcc')
    op.add_column('indicators', sa.Column('by_receipt', sa.Numeric(precision=18, scale=2), nullable=True, comment="ITP: for how much the day of the quietanza counts, the order's transmission not being known; null: nothing [EUR]"), schema='pcc')
    op.add_column('indicators', sa.Column('note', sa.Text(), nullable=True, comment='What must be known to read the figure, in Italian'), schema='pcc')
    op.alter_column('indicators', 'name',
               existing_type=sa.TEXT(),
               comment='ITP payments of the period, days from due date; TMP, TMR documents received in the year, days from issue and from due date; DELAY those due in the year, and those paid in it before they are due; INTEREST on what was paid late in the period; INTEREST_UNPAID on what is unpaid at D; FGDC_RATE, FGDC_AMOUNT; STOCK; DEBT all that is open at D; CREDITORS how many it is owed to (rules section 8)',
               existing_comment='ITP payments of the period, days from due date; TMP, TMR documents received in the year, days from reception and from due date; DELAY those also due in it; INTEREST on what was paid late in the period; INTEREST_UNPAID on what is unpaid at D; FGDC_RATE, FGDC_AMOUNT; STOCK; DEBT all that is open at D; CREDITORS how many it is owed to (rules section 8)',
               existing_nullable=False,
               schema='pcc')
    op.alter_column('opi_payments', 'payment_row',
               existing_type=sa.BIGINT(),
               comment='row_id among the payments (payments)',
               existing_comment='row_id among the payments (stg_erp_payments)',
               existing_nullable=False,
               schema='pcc')
    # ### end Alembic commands ###


def downgrade() -> None:
    # ### commands auto generated by Alembic - please adjust! ###
    op.alter_column('opi_payments', 'payment_row',
               existing_type=sa.BIGINT(),
               comment='row_id among the payments (stg_erp_payments)',
               existing_comment='row_id among the payments (payments)',
               existing_nullable=False,
               schema='pcc')
    op.alter_column('indicators', 'name',
               existing_type=sa.TEXT(),
               comment='ITP payments of the period, days from due date; TMP, TMR documents received in the year, days from reception and from due date; DELAY those also due in it; INTEREST on what was paid late in the period; INTEREST_UNPAID on what is unpaid at D; FGDC_RATE, FGDC_AMOUNT; STOCK; DEBT all that is open at D; CREDITORS how many it is owed to (rules section 8)',
               existing_comment='ITP payments of the period, days from due date; TMP, TMR documents received in the year, days from issue and from due date; DELAY those due in the year, and those paid in it before they are due; INTEREST on what was paid late in the period; INTEREST_UNPAID on what is unpaid at D; FGDC_RATE, FGDC_AMOUNT; STOCK; DEBT all that is open at D; CREDITORS how many it is owed to (rules section 8)',
               existing_nullable=False,
               schema='pcc')
    op.drop_column('indicators', 'note', schema='pcc')
    op.drop_column('indicators', 'by_receipt', schema='pcc')
    op.drop_column('indicators', 'simulated', schema='pcc')
    op.alter_column('indicator_documents', 'days',
               existing_type=sa.BIGINT(),
               comment='Days from one to the other [days]',
               existing_comment='Days from one to the other, less those of suspension [days]',
               existing_nullable=False,
               schema='pcc')
    op.alter_column('indicator_documents', 'from_day',
               existing_type=sa.DATE(),
               comment='Day from which days count: due date, for TMP reception',
               existing_comment='Day from which days count: due date, for TMP issue',
               existing_nullable=False,
               schema='pcc')
    op.alter_column('indicator_documents', 'name',
               existing_type=sa.TEXT(),
               comment='ITP payments of the period, days from due date; TMP, TMR documents received in the year, days from reception and from due date; DELAY those also due in it; INTEREST on what was paid late in the period; INTEREST_UNPAID on what is unpaid at D; FGDC_RATE, FGDC_AMOUNT; STOCK; DEBT all that is open at D; CREDITORS how many it is owed to (rules section 8)',
               existing_comment='ITP payments of the period, days from due date; TMP, TMR documents received in the year, days from issue and from due date; DELAY those due in the year, and those paid in it before they are due; INTEREST on what was paid late in the period; INTEREST_UNPAID on what is unpaid at D; FGDC_RATE, FGDC_AMOUNT; STOCK; DEBT all that is open at D; CREDITORS how many it is owed to (rules section 8)',
               existing_nullable=False,
               schema='pcc')
    op.drop_column('indicator_documents', 'suspended_days', schema='pcc')
    op.create_table_comment(
        'former_readings',
        'One row per reading of a delivery that a later reading of the same bytes replaced (pcc quarantine release)',
        existing_comment='One row per reading of a delivery that a later reading of the same bytes replaced (pcc quarantine release, pcc restage)',
        schema='pcc'
    )
    op.alter_column('fgdc_steps', 'passed',
               existing_type=sa.BOOLEAN(),
               comment='No duty arises from this step; null where the budget is not stated',
               existing_comment='No duty arises from this step; null where that is not known',
               existing_nullable=True,
               schema='pcc')
    op.alter_column('fgdc_steps', 'value',
               existing_type=sa.NUMERIC(precision=18, scale=2),
               comment='What is held against the bound: euro, days or percent; null where the budget is not stated',
               existing_comment='What is held against the bound: euro, days or percent; null where there is none, or the budget is not stated',
               existing_nullable=True,
               schema='pcc')
    op.alter_column('fgdc_steps', 'name',
               existing_type=sa.TEXT(),
               comment='Step (L. 145/2018 art. 1 c. 859, 862)',
               existing_comment='Step (L. 145/2018 art. 1 c. 859, 862, 863, 868)',
               existing_nullable=False,
               schema='pcc')
    op.alter_column('deadlines', 'delivered_on',
               existing_type=sa.DATE(),
               comment='Day of the delivery that meets it',
               existing_comment='Day of the delivery that meets it, or that the ente declares',
               existing_nullable=True,
               schema='pcc')
    op.alter_column('deadlines', 'met_by',
               existing_type=sa.TEXT(),
               comment='What shows that it is met: publication of figures for that day, or delivery:<kind>; null: nothing here does',
               existing_comment='What shows that it is met: publication of figures for that day, delivery:<kind>, or register:<column>, what the ente declares; null: nothing here does',
               existing_nullable=True,
               schema='pcc')
    op.drop_column('deadlines', 'amount', schema='pcc')
    op.drop_column('deadlines', 'documents', schema='pcc')
    op.drop_column('deadlines', 'owed', schema='pcc')
    op.drop_column('deadlines', 'every', schema='pcc')
    # ### end Alembic commands ###
