# ruff: noqa
"""what a delivery says of itself: whole or an increment, its span; who confirmed it."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('delivery_confirmations',
    sa.Column('decision', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='Order of decision'),
    sa.Column('ente', sa.Text(), nullable=False, comment='Tenant code'),
    sa.Column('delivery', sa.Text(), nullable=False, comment='The delivery (rules section 12)'),
    sa.Column('decided_by', sa.Text(), nullable=False, comment='Who decided'),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=False, comment='When it was decided'),
    sa.PrimaryKeyConstraint('decision', name=op.f('pk_delivery_confirmations')),
    schema='pcc',
    comment='One row per whole delivery of which a person confirmed that what it does not have any more is gone, however much'
    )
    op.create_index(op.f('ix_delivery_confirmations_ente_delivery'), 'delivery_confirmations', ['ente', 'delivery'], unique=False, schema='pcc')
    op.add_column('deliveries', sa.Column('whole', sa.Boolean(), nullable=True, comment='Whether it has all there is in its span; false: an increment, as said; null: nobody said (rules section 12)'), schema='pcc')
    op.add_column('deliveries', sa.Column('span_from', sa.Date(), nullable=True, comment='First day of the span of a whole delivery; null: open'), schema='pcc')
    op.add_column('deliveries', sa.Column('span_to', sa.Date(), nullable=True, comment='Last day of that span; null: open'), schema='pcc')


def downgrade() -> None:
    op.drop_column('deliveries', 'span_to', schema='pcc')
    op.drop_column('deliveries', 'span_from', schema='pcc')
    op.drop_column('deliveries', 'whole', schema='pcc')
    op.drop_index(op.f('ix_delivery_confirmations_ente_delivery'), table_name='delivery_confirmations', schema='pcc')
    op.drop_table('delivery_confirmations', schema='pcc')
