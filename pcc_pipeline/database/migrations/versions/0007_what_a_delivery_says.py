# ruff: noqa
"""what a delivery says of itself: whole or an increment, its span, its confirmation."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

COLUMNS: tuple[sa.Column, ...] = (
    sa.Column('whole', sa.Boolean(), nullable=True, comment='Whether it has all there is in its span; false: an increment, as said; null: nobody said'),
    sa.Column('span_from', sa.Date(), nullable=True, comment='First day of the span of a whole delivery; null: open'),
    sa.Column('span_to', sa.Date(), nullable=True, comment='Last day of that span; null: open'),
    sa.Column('confirmed_by', sa.Text(), nullable=True, comment='Who confirmed that what it does not have any more is gone, however much'),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True, comment='When that was confirmed'),
)


def upgrade() -> None:
    for column in COLUMNS:
        op.add_column('deliveries', column, schema='pcc')


def downgrade() -> None:
    for column in COLUMNS:
        op.drop_column('deliveries', column.name, schema='pcc')
