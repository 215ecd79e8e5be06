-- An order enters a user's orders once, when it is settled. Those that are pending have an index of their own, which stays
-- so small that all of them share a few pages: with many users, each order wrote to two pages of this tree, at random.
DROP INDEX orders_by_user;
CREATE INDEX settled_orders_by_user ON orders (user_id, status) WHERE status <> 'pending';
CREATE INDEX pending_orders_by_user ON orders (user_id) WHERE status = 'pending';
