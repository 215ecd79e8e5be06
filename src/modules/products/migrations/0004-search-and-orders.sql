-- Words of names and descriptions, whatever their case and diacritics. The beginnings of up to three letters have lists of
-- their own: what a person has just begun to type matches a large part of a shop, and would be gathered from all words.
CREATE VIRTUAL TABLE products_search USING fts5 (
  name,
  description,
  content = 'products',
  content_rowid = 'number',
  tokenize = 'unicode61 remove_diacritics 2',
  prefix = '1 2 3'
);

INSERT INTO products_search (products_search) VALUES ('rebuild');

CREATE TRIGGER product_added AFTER INSERT ON products BEGIN
  INSERT INTO products_search (rowid, name, description) VALUES (new.number, new.name, new.description);
END;

CREATE TRIGGER product_reworded AFTER UPDATE OF name, description ON products
WHEN old.name <> new.name COLLATE BINARY OR old.description <> new.description BEGIN
  INSERT INTO products_search (products_search, rowid, name, description)
  VALUES ('delete', old.number, old.name, old.description);
  INSERT INTO products_search (rowid, name, description) VALUES (new.number, new.name, new.description);
END;

-- Each list is a walk along an index, whatever it shows, and in whatever order.
DROP INDEX active_products;
CREATE INDEX products_by_age ON products (active, id);
CREATE INDEX products_by_price ON products (active, price_cents, id);
CREATE INDEX products_by_name ON products (active, name, id);
CREATE INDEX all_products_by_price ON products (price_cents, id);
CREATE INDEX all_products_by_name ON products (name, id);
