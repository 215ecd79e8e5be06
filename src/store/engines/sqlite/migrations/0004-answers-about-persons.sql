-- Whom a kept answer tells of, where that is not whose key it is: who is erased is forgotten here, too.
ALTER TABLE answers ADD COLUMN person TEXT;
CREATE INDEX answers_by_person ON answers (person) WHERE person IS NOT NULL;
