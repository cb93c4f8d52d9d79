-- all
SELECT news_tag.id, news_tag.name, news_tag.slug FROM news_tag ORDER BY news_tag.name, news_tag.id

-- a slice
SELECT news_tag.id, news_tag.name, news_tag.slug FROM news_tag ORDER BY news_tag.slug DESC, news_tag.id OFFSET :1 ROWS FETCH FIRST :2 ROWS ONLY

-- the first
SELECT news_tag.id, news_tag.name, news_tag.slug FROM news_tag ORDER BY news_tag.name, news_tag.id FETCH FIRST :1 ROWS ONLY

-- by key
SELECT news_tag.id, news_tag.name, news_tag.slug FROM news_tag WHERE news_tag.id = :1 ORDER BY news_tag.name, news_tag.id

-- one of several
SELECT news_tag.id, news_tag.name, news_tag.slug FROM news_tag WHERE news_tag.slug IN (:1, :2) ORDER BY news_tag.name, news_tag.id

-- either
SELECT news_tag.id, news_tag.name, news_tag.slug FROM news_tag WHERE news_tag.slug = :1 OR news_tag.name != :2 ORDER BY news_tag.name, news_tag.id

-- a join
SELECT news_story.id AS v0 FROM news_story JOIN news_section t1 ON news_story.section_id = t1.id WHERE t1.slug = :1 ORDER BY news_story.id

-- a join that may find nothing
SELECT news_story.id AS v0 FROM news_story LEFT OUTER JOIN news_author t1 ON news_story.editor_id = t1.id WHERE t1.name IS NULL ORDER BY news_story.id

-- related rows along
SELECT news_byline.id, news_byline.story_id, news_byline.author_id, news_byline.position, t1.id AS id_1, t1.name, t1.slug, t2.id AS id_2, t2.title, t2.slug AS slug_1, t2.section_id, t2.editor_id, t2.weight, t2.status, t2.published, t2.expires FROM news_byline JOIN news_author t1 ON news_byline.author_id = t1.id JOIN news_story t2 ON news_byline.story_id = t2.id ORDER BY news_byline.position, news_byline.id

-- order by a relation
SELECT news_byline.id AS v0 FROM news_byline JOIN news_author t1 ON news_byline.author_id = t1.id ORDER BY t1.name ASC NULLS FIRST, news_byline.id DESC

-- many partners
SELECT news_tag.id AS v0 FROM news_tag WHERE news_tag.id IN (SELECT t2.tag_id FROM news_story t1 JOIN news_story_tags t2 ON t2.story_id = t1.id WHERE t1.weight > :1 AND t2.tag_id IS NOT NULL) ORDER BY news_tag.id

-- no partner
SELECT news_tag.id AS v0 FROM news_tag WHERE (news_tag.id NOT IN (SELECT t2.tag_id FROM news_story_tags t2 WHERE t2.tag_id IS NOT NULL)) ORDER BY news_tag.id

-- excluded partners
SELECT news_tag.id AS v0 FROM news_tag WHERE (news_tag.id NOT IN (SELECT t2.tag_id FROM news_story t1 JOIN news_story_tags t2 ON t2.story_id = t1.id WHERE t1.weight = :1 AND t2.tag_id IS NOT NULL)) ORDER BY news_tag.id

-- a sliced subquery
SELECT news_story.id AS v0 FROM news_story WHERE news_story.section_id IN (SELECT t1.id AS v0 FROM news_section t1 ORDER BY t1.id FETCH FIRST :1 ROWS ONLY) ORDER BY news_story.id

-- parts of a text
SELECT news_tag.id AS v0 FROM news_tag WHERE upper(news_tag.name) LIKE upper(:1) ESCAPE '\' AND news_tag.slug LIKE :2 ESCAPE '\' ORDER BY news_tag.id

-- the ends of a text
SELECT news_tag.id AS v0 FROM news_tag WHERE news_tag.name LIKE :1 ESCAPE '\' AND upper(news_tag.slug) LIKE upper(:2) ESCAPE '\' ORDER BY news_tag.name, news_tag.id

-- a text whatever its case
SELECT news_tag.id AS v0 FROM news_tag WHERE upper(news_tag.name) = upper(:1) ORDER BY news_tag.name, news_tag.id

-- a regular expression
SELECT news_tag.id AS v0 FROM news_tag WHERE REGEXP_LIKE(news_tag.name, :1) ORDER BY news_tag.name, news_tag.id

-- between
SELECT news_story.id AS v0 FROM news_story WHERE news_story.weight BETWEEN :1 AND :2 ORDER BY news_story.id

-- a year
SELECT news_story.id AS v0 FROM news_story WHERE news_story.published BETWEEN :1 AND :2 ORDER BY news_story.id

-- a day
refused: dates cannot be taken apart on oracle yet

-- a moment
SELECT news_story.id AS v0 FROM news_story WHERE news_story.published < :1 ORDER BY news_story.id

-- months
refused: dates cannot be taken apart on oracle yet

-- groups
SELECT news_story.weight AS v0, count(news_story.id) AS v1 FROM news_story GROUP BY news_story.weight HAVING count(news_story.id) > :1 ORDER BY news_story.weight

-- a filtered aggregate
SELECT news_story.weight AS v0, count(CASE WHEN (news_story.status = :1) THEN news_story.id END) AS v1, max(news_story.published) AS v2 FROM news_story GROUP BY news_story.weight ORDER BY news_story.weight

-- partners counted
SELECT news_tag.id, news_tag.name, news_tag.slug, (SELECT count(t2.story_id) AS count_1 FROM news_story_tags t2 WHERE t2.tag_id = news_tag.id) AS a_1 FROM news_tag ORDER BY news_tag.id

-- partners added up
SELECT news_section.id, news_section.name, news_section.slug, news_section.position, news_section.visible, (SELECT CAST(sum(t1.weight) AS NUMBER(19)) AS sum_1 FROM news_story t1 WHERE t1.section_id = news_section.id) AS a_1, (SELECT CAST(avg(t2.weight) AS DOUBLE PRECISION) AS avg_1 FROM news_story t2 WHERE t2.section_id = news_section.id) AS a_2 FROM news_section ORDER BY news_section.id

-- distinct
SELECT DISTINCT news_story.weight AS v0 FROM news_story ORDER BY news_story.weight

-- exclude, where either side may be NULL
SELECT news_story.id AS v0 FROM news_story WHERE CASE WHEN (news_story.expires < news_story.published) THEN 1 ELSE 0 END != 1 ORDER BY news_story.id

-- arithmetic
SELECT news_story.id AS v0, news_story.weight * :1 + :2 AS v1 FROM news_story WHERE news_story.weight * :1 + :2 > :3 ORDER BY news_story.published DESC, news_story.id

-- a later moment
refused: times cannot be calculated with on oracle yet

-- one value or another
SELECT news_story.id AS v0, CASE WHEN (news_story.weight > :1) THEN :2 WHEN (news_story.weight = :3) THEN :4 ELSE :5 END AS v1 FROM news_story ORDER BY news_story.published DESC, news_story.id

-- functions of text
SELECT lower(news_author.name) AS v0, length(news_author.name) AS v1, coalesce(news_author.name, '') || coalesce(:1, '') || coalesce(news_author.slug, '') AS v2 FROM news_author ORDER BY news_author.name, news_author.id

-- the first that is there
SELECT coalesce(news_comment.score, :1) AS v0 FROM news_comment ORDER BY news_comment.id

-- exists
SELECT news_author.id AS v0 FROM news_author WHERE EXISTS (SELECT 1 AS found FROM news_byline t1 WHERE t1.author_id = news_author.id) ORDER BY news_author.name, news_author.id

-- a value of a subquery
SELECT news_author.id AS v0, (SELECT t1.position FROM news_byline t1 WHERE t1.author_id = news_author.id ORDER BY t1.position DESC, t1.id FETCH FIRST :1 ROWS ONLY) AS v1 FROM news_author ORDER BY news_author.name, news_author.id

-- a union
SELECT t3.v0 AS v0 FROM (SELECT t1.slug AS v0 FROM news_tag t1 WHERE t1.slug = :1 UNION SELECT t2.slug AS v0 FROM news_author t2) t3 ORDER BY t3.v0 ASC NULLS FIRST

-- what both have
SELECT t3.v0 AS v0 FROM (SELECT t1.slug AS v0 FROM news_tag t1 INTERSECT SELECT t2.slug AS v0 FROM news_author t2) t3 ORDER BY t3.v0 ASC NULLS FIRST

-- what one has alone
SELECT t3.v0 AS v0 FROM (SELECT t1.slug AS v0 FROM news_tag t1 MINUS SELECT t2.slug AS v0 FROM news_author t2) t3 ORDER BY t3.v0 ASC NULLS FIRST

-- NULLs last
SELECT news_story.id AS v0 FROM news_story ORDER BY news_story.expires ASC NULLS LAST, news_story.id

-- NULLs first, descending
SELECT news_story.id AS v0 FROM news_story ORDER BY news_story.expires DESC NULLS FIRST, news_story.id

-- a key in JSON
refused: keys in JSON cannot be asked for on oracle yet

-- a condition as a value
SELECT news_story.id AS v0, CASE WHEN (news_story.weight > :1) THEN 1 WHEN (news_story.weight <= :1) THEN 0 END AS v1 FROM news_story ORDER BY news_story.published DESC, news_story.id

-- a lock
SELECT news_tag.id, news_tag.name, news_tag.slug FROM news_tag WHERE news_tag.slug = :1 ORDER BY news_tag.name, news_tag.id FOR UPDATE

-- a lock that does not wait
SELECT news_tag.id, news_tag.name, news_tag.slug FROM news_tag WHERE news_tag.slug = :1 ORDER BY news_tag.name, news_tag.id FOR UPDATE NOWAIT

-- insert
INSERT INTO news_tag (id, name, slug) VALUES (:v, :v, :v)

-- insert a row of defaults
INSERT INTO news_tag (id) VALUES (DEFAULT)

-- insert, unless it is there
SET TRANSACTION ISOLATION LEVEL READ COMMITTED
MERGE INTO news_tag target USING (SELECT :v AS id, :v AS name, :v AS slug FROM dual) source ON ((target.id = source.id) OR (target.slug = source.slug)) WHEN NOT MATCHED THEN INSERT (id, name, slug) VALUES (source.id, source.name, source.slug)
COMMIT

-- insert or update
SET TRANSACTION ISOLATION LEVEL READ COMMITTED
MERGE INTO news_tag target USING (SELECT :v AS id, :v AS name, :v AS slug FROM dual) source ON ((target.slug = source.slug)) WHEN MATCHED THEN UPDATE SET target.name = source.name WHEN NOT MATCHED THEN INSERT (id, name, slug) VALUES (source.id, source.name, source.slug)
COMMIT

-- insert or update, and count
SET TRANSACTION ISOLATION LEVEL READ COMMITTED
MERGE INTO news_ruled target USING (SELECT :v AS id, :v AS name, :v AS low, :v AS high, :v AS seen, :v AS version FROM dual) source ON ((target.name = source.name AND target.low = source.low)) WHEN MATCHED THEN UPDATE SET target.high = source.high, target.version = target.version + 1 WHEN NOT MATCHED THEN INSERT (id, name, low, high, seen, version) VALUES (source.id, source.name, source.low, source.high, source.seen, source.version)
COMMIT

-- update
UPDATE news_tag SET name=:1 WHERE news_tag.slug = :2

-- update by what was there
UPDATE news_story SET weight=(news_story.weight + :1)

-- delete
DELETE FROM news_profile WHERE news_profile.motto = :1

-- a transaction
SET TRANSACTION ISOLATION LEVEL READ COMMITTED
SAVEPOINT toolkit_1
SELECT 1
COMMIT

-- table news.Section
CREATE TABLE news_section ( id NUMBER(19) GENERATED BY DEFAULT AS IDENTITY, name VARCHAR2(50 CHAR) NOT NULL, slug VARCHAR2(50 CHAR) NOT NULL, position NUMBER(19) NOT NULL, visible BOOLEAN NOT NULL, CONSTRAINT news_section_pkey PRIMARY KEY (id), CONSTRAINT news_section_slug_key UNIQUE (slug) )

-- table news.Author
CREATE TABLE news_author ( id NUMBER(19) GENERATED BY DEFAULT AS IDENTITY, name VARCHAR2(50 CHAR) NOT NULL, slug VARCHAR2(50 CHAR) NOT NULL, CONSTRAINT news_author_pkey PRIMARY KEY (id), CONSTRAINT news_author_slug_key UNIQUE (slug) )

-- table news.Profile
CREATE TABLE news_profile ( id NUMBER(19) GENERATED BY DEFAULT AS IDENTITY, author_id NUMBER(19) NOT NULL, motto VARCHAR2(80 CHAR) NOT NULL, CONSTRAINT news_profile_pkey PRIMARY KEY (id), CONSTRAINT news_profile_author_id_key UNIQUE (author_id), CONSTRAINT news_profile_author_id_fkey FOREIGN KEY(author_id) REFERENCES news_author (id) DEFERRABLE INITIALLY DEFERRED )

-- table news.Tag
CREATE TABLE news_tag ( id NUMBER(19) GENERATED BY DEFAULT AS IDENTITY, name VARCHAR2(50 CHAR) NOT NULL, slug VARCHAR2(50 CHAR) NOT NULL, CONSTRAINT news_tag_pkey PRIMARY KEY (id), CONSTRAINT news_tag_slug_key UNIQUE (slug) )

-- table news.Story
CREATE TABLE news_story ( id NUMBER(19) GENERATED BY DEFAULT AS IDENTITY, title VARCHAR2(200 CHAR) NOT NULL, slug VARCHAR2(50 CHAR) NOT NULL, section_id NUMBER(19) NOT NULL, editor_id NUMBER(19), weight NUMBER(19) NOT NULL, status VARCHAR2(10 CHAR) NOT NULL, published TIMESTAMP(6) WITH TIME ZONE NOT NULL, expires TIMESTAMP(6) WITH TIME ZONE, CONSTRAINT news_story_pkey PRIMARY KEY (id), CONSTRAINT news_story_slug_key UNIQUE (slug), CONSTRAINT news_story_section_id_fkey FOREIGN KEY(section_id) REFERENCES news_section (id) DEFERRABLE INITIALLY DEFERRED, CONSTRAINT news_story_editor_id_fkey FOREIGN KEY(editor_id) REFERENCES news_author (id) DEFERRABLE INITIALLY DEFERRED )
CREATE INDEX news_story_editor_id_idx ON news_story (editor_id)
CREATE INDEX news_story_published_idx ON news_story (published)
CREATE INDEX news_story_section_id_idx ON news_story (section_id)

-- table news.Byline
CREATE TABLE news_byline ( id NUMBER(19) GENERATED BY DEFAULT AS IDENTITY, story_id NUMBER(19) NOT NULL, author_id NUMBER(19) NOT NULL, position NUMBER(19) NOT NULL, CONSTRAINT news_byline_pkey PRIMARY KEY (id), CONSTRAINT news_byline_story_id_fkey FOREIGN KEY(story_id) REFERENCES news_story (id) DEFERRABLE INITIALLY DEFERRED, CONSTRAINT news_byline_author_id_fkey FOREIGN KEY(author_id) REFERENCES news_author (id) DEFERRABLE INITIALLY DEFERRED )
CREATE INDEX news_byline_author_id_idx ON news_byline (author_id)
CREATE INDEX news_byline_story_id_idx ON news_byline (story_id)

-- table news.Comment
CREATE TABLE news_comment ( id NUMBER(19) GENERATED BY DEFAULT AS IDENTITY, story_id NUMBER(19) NOT NULL, parent_id NUMBER(19), text CLOB NOT NULL, score NUMBER(19), CONSTRAINT news_comment_pkey PRIMARY KEY (id), CONSTRAINT news_comment_story_id_fkey FOREIGN KEY(story_id) REFERENCES news_story (id) DEFERRABLE INITIALLY DEFERRED, CONSTRAINT news_comment_parent_id_fkey FOREIGN KEY(parent_id) REFERENCES news_comment (id) DEFERRABLE INITIALLY DEFERRED )
CREATE INDEX news_comment_parent_id_idx ON news_comment (parent_id)
CREATE INDEX news_comment_story_id_idx ON news_comment (story_id)

-- table news.Camera
CREATE TABLE news_camera ( id CHAR(32) NOT NULL, name VARCHAR2(20 CHAR) NOT NULL, CONSTRAINT news_camera_pkey PRIMARY KEY (id) )

-- table news.Photograph
CREATE TABLE news_photograph ( code VARCHAR2(12 CHAR) NOT NULL, camera_id CHAR(32) NOT NULL, CONSTRAINT news_photograph_pkey PRIMARY KEY (code), CONSTRAINT news_photograph_camera_id_fkey FOREIGN KEY(camera_id) REFERENCES news_camera (id) DEFERRABLE INITIALLY DEFERRED )
CREATE INDEX news_photograph_camera_id_idx ON news_photograph (camera_id)

-- table news.Everything
CREATE TABLE news_everything ( id NUMBER(19) GENERATED BY DEFAULT AS IDENTITY, "char" VARCHAR2(20 CHAR), text CLOB, slug VARCHAR2(50 CHAR), markdown CLOB, email VARCHAR2(254 CHAR), url VARCHAR2(200 CHAR), "integer" NUMBER(19), positive NUMBER(19), "float" DOUBLE PRECISION, "decimal" NUMERIC(10, 2), boolean BOOLEAN, "date" DATE, instant TIMESTAMP(6) WITH TIME ZONE, json JSON, uuid CHAR(32), binary BLOB, small SMALLINT, big NUMBER(19), positive_small SMALLINT, positive_big NUMBER(19), time TIMESTAMP(6), duration NUMBER(19), address VARCHAR2(39 CHAR), free_char CLOB, CONSTRAINT news_everything_pkey PRIMARY KEY (id), CONSTRAINT news_everything_positive_check CHECK (positive >= 0), CONSTRAINT news_everything_positive_small_check CHECK (positive_small >= 0), CONSTRAINT news_everything_positive_big_check CHECK (positive_big >= 0) )

-- table news.SectionTranslation
CREATE TABLE news_section_translation ( id NUMBER(19) GENERATED BY DEFAULT AS IDENTITY, name VARCHAR2(50 CHAR), source_id NUMBER(19) NOT NULL, locale VARCHAR2(35 CHAR) NOT NULL, CONSTRAINT news_section_translation_pkey PRIMARY KEY (id), CONSTRAINT news_section_translation_source_id_fkey FOREIGN KEY(source_id) REFERENCES news_section (id) DEFERRABLE INITIALLY DEFERRED, CONSTRAINT news_section_translation_source_locale_key UNIQUE (source_id, locale) )
CREATE INDEX news_section_translation_source_id_idx ON news_section_translation (source_id)

-- table news.Story_tags
CREATE TABLE news_story_tags ( id NUMBER(19) GENERATED BY DEFAULT AS IDENTITY, story_id NUMBER(19) NOT NULL, tag_id NUMBER(19) NOT NULL, CONSTRAINT news_story_tags_pkey PRIMARY KEY (id), CONSTRAINT news_story_tags_story_id_fkey FOREIGN KEY(story_id) REFERENCES news_story (id) DEFERRABLE INITIALLY DEFERRED, CONSTRAINT news_story_tags_tag_id_fkey FOREIGN KEY(tag_id) REFERENCES news_tag (id) DEFERRABLE INITIALLY DEFERRED, CONSTRAINT news_story_tags_pair_key UNIQUE (story_id, tag_id) )
CREATE INDEX news_story_tags_story_id_idx ON news_story_tags (story_id)
CREATE INDEX news_story_tags_tag_id_idx ON news_story_tags (tag_id)

-- table news.StoryTranslation
CREATE TABLE news_story_translation ( id NUMBER(19) GENERATED BY DEFAULT AS IDENTITY, title VARCHAR2(200 CHAR), slug VARCHAR2(50 CHAR), source_id NUMBER(19) NOT NULL, locale VARCHAR2(35 CHAR) NOT NULL, CONSTRAINT news_story_translation_pkey PRIMARY KEY (id), CONSTRAINT news_story_translation_source_id_fkey FOREIGN KEY(source_id) REFERENCES news_story (id) DEFERRABLE INITIALLY DEFERRED, CONSTRAINT news_story_translation_source_locale_key UNIQUE (source_id, locale), CONSTRAINT news_story_translation_slug_key UNIQUE (locale, slug) )
CREATE INDEX news_story_translation_source_id_idx ON news_story_translation (source_id)

-- table news.Ruled
CREATE TABLE news_ruled ( id NUMBER(19) GENERATED BY DEFAULT AS IDENTITY, name VARCHAR2(40 CHAR) NOT NULL, low NUMBER(19) DEFAULT 1 NOT NULL, high NUMBER(19) NOT NULL, span NUMBER(19) GENERATED ALWAYS AS (high - low) VIRTUAL, seen TIMESTAMP(6) WITH TIME ZONE, version NUMBER(19) NOT NULL, CONSTRAINT news_ruled_pkey PRIMARY KEY (id), CONSTRAINT ruled_low_below_high CHECK (low < high), CONSTRAINT ruled_name_low UNIQUE (name, low) )
CREATE INDEX news_ruled_high_idx ON news_ruled (high)
CREATE INDEX ruled_name_high ON news_ruled (name, high DESC)
COMMENT ON TABLE news_ruled IS 'ruled lines'
COMMENT ON COLUMN news_ruled.name IS 'as printed'

