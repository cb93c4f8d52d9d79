-- all
SELECT news_tag.id, news_tag.name, news_tag.slug FROM news_tag ORDER BY news_tag.name, news_tag.id

-- a slice
SELECT news_tag.id, news_tag.name, news_tag.slug FROM news_tag ORDER BY news_tag.slug DESC, news_tag.id OFFSET ? ROWS FETCH FIRST ? ROWS ONLY

-- the first
SELECT news_tag.id, news_tag.name, news_tag.slug FROM news_tag ORDER BY news_tag.name, news_tag.id OFFSET 0 ROWS FETCH FIRST ? ROWS ONLY

-- by key
SELECT news_tag.id, news_tag.name, news_tag.slug FROM news_tag WHERE news_tag.id = ? ORDER BY news_tag.name, news_tag.id

-- one of several
SELECT news_tag.id, news_tag.name, news_tag.slug FROM news_tag WHERE news_tag.slug IN (?, ?) ORDER BY news_tag.name, news_tag.id

-- either
SELECT news_tag.id, news_tag.name, news_tag.slug FROM news_tag WHERE news_tag.slug = ? OR news_tag.name != ? ORDER BY news_tag.name, news_tag.id

-- a join
SELECT news_story.id AS v0 FROM news_story JOIN news_section AS t1 ON news_story.section_id = t1.id WHERE t1.slug = ? ORDER BY news_story.id

-- a join that may find nothing
SELECT news_story.id AS v0 FROM news_story LEFT OUTER JOIN news_author AS t1 ON news_story.editor_id = t1.id WHERE t1.name IS NULL ORDER BY news_story.id

-- related rows along
SELECT news_byline.id, news_byline.story_id, news_byline.author_id, news_byline.position, t1.id AS id_1, t1.name, t1.slug, t2.id AS id_2, t2.title, t2.slug AS slug_1, t2.section_id, t2.editor_id, t2.weight, t2.status, t2.published, t2.expires FROM news_byline JOIN news_author AS t1 ON news_byline.author_id = t1.id JOIN news_story AS t2 ON news_byline.story_id = t2.id ORDER BY news_byline.position, news_byline.id

-- order by a relation
SELECT news_byline.id AS v0 FROM news_byline JOIN news_author AS t1 ON news_byline.author_id = t1.id ORDER BY t1.name, news_byline.id DESC

-- many partners
SELECT news_tag.id AS v0 FROM news_tag WHERE news_tag.id IN (SELECT t2.tag_id FROM news_story AS t1 JOIN news_story_tags AS t2 ON t2.story_id = t1.id WHERE t1.weight > ? AND t2.tag_id IS NOT NULL) ORDER BY news_tag.id

-- no partner
SELECT news_tag.id AS v0 FROM news_tag WHERE (news_tag.id NOT IN (SELECT t2.tag_id FROM news_story_tags AS t2 WHERE t2.tag_id IS NOT NULL)) ORDER BY news_tag.id

-- excluded partners
SELECT news_tag.id AS v0 FROM news_tag WHERE (news_tag.id NOT IN (SELECT t2.tag_id FROM news_story AS t1 JOIN news_story_tags AS t2 ON t2.story_id = t1.id WHERE t1.weight = ? AND t2.tag_id IS NOT NULL)) ORDER BY news_tag.id

-- a sliced subquery
SELECT news_story.id AS v0 FROM news_story WHERE news_story.section_id IN (SELECT t1.id AS v0 FROM news_section AS t1 ORDER BY t1.id OFFSET 0 ROWS FETCH FIRST ? ROWS ONLY) ORDER BY news_story.id

-- parts of a text
SELECT news_tag.id AS v0 FROM news_tag WHERE upper(news_tag.name) LIKE upper(?) ESCAPE '\' AND news_tag.slug LIKE ? ESCAPE '\' ORDER BY news_tag.id

-- the ends of a text
SELECT news_tag.id AS v0 FROM news_tag WHERE news_tag.name LIKE ? ESCAPE '\' AND upper(news_tag.slug) LIKE upper(?) ESCAPE '\' ORDER BY news_tag.name, news_tag.id

-- a text whatever its case
SELECT news_tag.id AS v0 FROM news_tag WHERE upper(news_tag.name) = upper(?) ORDER BY news_tag.name, news_tag.id

-- a regular expression
refused: the database cannot be asked this: mssql dialect does not support regular expressions

-- between
SELECT news_story.id AS v0 FROM news_story WHERE news_story.weight BETWEEN ? AND ? ORDER BY news_story.id

-- a year
SELECT news_story.id AS v0 FROM news_story WHERE news_story.published BETWEEN ? AND ? ORDER BY news_story.id

-- a day
refused: dates cannot be taken apart on mssql yet

-- a moment
SELECT news_story.id AS v0 FROM news_story WHERE news_story.published < ? ORDER BY news_story.id

-- months
refused: dates cannot be taken apart on mssql yet

-- groups
SELECT news_story.weight AS v0, count(news_story.id) AS v1 FROM news_story GROUP BY news_story.weight HAVING count(news_story.id) > ? ORDER BY news_story.weight

-- a filtered aggregate
SELECT news_story.weight AS v0, count(CASE WHEN (news_story.status = ?) THEN news_story.id END) AS v1, max(news_story.published) AS v2 FROM news_story GROUP BY news_story.weight ORDER BY news_story.weight

-- partners counted
SELECT news_tag.id, news_tag.name, news_tag.slug, (SELECT count(t2.story_id) AS count_1 FROM news_story_tags AS t2 WHERE t2.tag_id = news_tag.id) AS a_1 FROM news_tag ORDER BY news_tag.id

-- partners added up
SELECT news_section.id, news_section.name, news_section.slug, news_section.position, news_section.visible, (SELECT CAST(sum(t1.weight) AS BIGINT) AS sum_1 FROM news_story AS t1 WHERE t1.section_id = news_section.id) AS a_1, (SELECT CAST(avg(CAST(t2.weight AS DOUBLE PRECISION)) AS DOUBLE PRECISION) AS avg_1 FROM news_story AS t2 WHERE t2.section_id = news_section.id) AS a_2 FROM news_section ORDER BY news_section.id

-- distinct
SELECT DISTINCT news_story.weight AS v0 FROM news_story ORDER BY news_story.weight

-- exclude, where either side may be NULL
SELECT news_story.id AS v0 FROM news_story WHERE CASE WHEN (news_story.expires < news_story.published) THEN 1 ELSE 0 END != 1 ORDER BY news_story.id

-- arithmetic
SELECT news_story.id AS v0, news_story.weight * ? + ? AS v1 FROM news_story WHERE news_story.weight * ? + ? > ? ORDER BY news_story.published DESC, news_story.id

-- a later moment
refused: times cannot be calculated with on mssql yet

-- one value or another
SELECT news_story.id AS v0, CASE WHEN (news_story.weight > ?) THEN ? WHEN (news_story.weight = ?) THEN ? ELSE ? END AS v1 FROM news_story ORDER BY news_story.published DESC, news_story.id

-- functions of text
SELECT lower(news_author.name) AS v0, LEN(news_author.name) AS v1, coalesce(news_author.name, '') + coalesce(?, '') + coalesce(news_author.slug, '') AS v2 FROM news_author ORDER BY news_author.name, news_author.id

-- the first that is there
SELECT coalesce(news_comment.score, ?) AS v0 FROM news_comment ORDER BY news_comment.id

-- exists
SELECT news_author.id AS v0 FROM news_author WHERE EXISTS (SELECT 1 AS found FROM news_byline AS t1 WHERE t1.author_id = news_author.id) ORDER BY news_author.name, news_author.id

-- a value of a subquery
SELECT news_author.id AS v0, (SELECT t1.position FROM news_byline AS t1 WHERE t1.author_id = news_author.id ORDER BY t1.position DESC, t1.id OFFSET 0 ROWS FETCH FIRST ? ROWS ONLY) AS v1 FROM news_author ORDER BY news_author.name, news_author.id

-- a union
SELECT t3.v0 AS v0 FROM (SELECT t1.slug AS v0 FROM news_tag AS t1 WHERE t1.slug = ? UNION SELECT t2.slug AS v0 FROM news_author AS t2) AS t3 ORDER BY t3.v0

-- what both have
SELECT t3.v0 AS v0 FROM (SELECT t1.slug AS v0 FROM news_tag AS t1 INTERSECT SELECT t2.slug AS v0 FROM news_author AS t2) AS t3 ORDER BY t3.v0

-- what one has alone
SELECT t3.v0 AS v0 FROM (SELECT t1.slug AS v0 FROM news_tag AS t1 EXCEPT SELECT t2.slug AS v0 FROM news_author AS t2) AS t3 ORDER BY t3.v0

-- NULLs last
SELECT news_story.id AS v0 FROM news_story ORDER BY CASE WHEN (news_story.expires IS NULL) THEN 1 WHEN (news_story.expires IS NOT NULL) THEN 0 END, news_story.expires, news_story.id

-- NULLs first, descending
SELECT news_story.id AS v0 FROM news_story ORDER BY CASE WHEN (news_story.expires IS NULL) THEN 1 WHEN (news_story.expires IS NOT NULL) THEN 0 END DESC, news_story.expires DESC, news_story.id

-- a key in JSON
refused: keys in JSON cannot be asked for on mssql yet

-- a condition as a value
SELECT news_story.id AS v0, CASE WHEN (news_story.weight > ?) THEN 1 WHEN (news_story.weight <= ?) THEN 0 END AS v1 FROM news_story ORDER BY news_story.published DESC, news_story.id

-- a lock
SELECT news_tag.id, news_tag.name, news_tag.slug FROM news_tag WITH (UPDLOCK, ROWLOCK) WHERE news_tag.slug = ? ORDER BY news_tag.name, news_tag.id

-- a lock that does not wait
SELECT news_tag.id, news_tag.name, news_tag.slug FROM news_tag WITH (UPDLOCK, ROWLOCK, NOWAIT) WHERE news_tag.slug = ? ORDER BY news_tag.name, news_tag.id

-- insert
INSERT INTO [news_tag] ([id], [name], [slug]) VALUES (?, ?, ?)

-- insert, and give the key
INSERT INTO [news_tag] ([name], [slug]) OUTPUT INSERTED.[id] VALUES (?, ?)

-- insert a row of defaults
INSERT INTO [news_tag] OUTPUT INSERTED.[id] DEFAULT VALUES

-- insert, unless it is there
BEGIN TRANSACTION
MERGE INTO [news_tag] WITH (HOLDLOCK) AS target USING (VALUES (?, ?, ?)) AS source ([id], [name], [slug]) ON ((target.[id] = source.[id]) OR (target.[slug] = source.[slug])) WHEN NOT MATCHED THEN INSERT ([id], [name], [slug]) VALUES (source.[id], source.[name], source.[slug]);
COMMIT

-- insert or update
BEGIN TRANSACTION
MERGE INTO [news_tag] WITH (HOLDLOCK) AS target USING (VALUES (?, ?, ?)) AS source ([id], [name], [slug]) ON ((target.[slug] = source.[slug])) WHEN MATCHED THEN UPDATE SET target.[name] = source.[name] WHEN NOT MATCHED THEN INSERT ([id], [name], [slug]) VALUES (source.[id], source.[name], source.[slug]);
COMMIT

-- insert or update, and count
BEGIN TRANSACTION
MERGE INTO [news_ruled] WITH (HOLDLOCK) AS target USING (VALUES (?, ?, ?, ?, ?, ?)) AS source ([id], [name], [low], [high], [seen], [version]) ON ((target.[name] = source.[name] AND target.[low] = source.[low])) WHEN MATCHED THEN UPDATE SET target.[high] = source.[high], target.[version] = target.[version] + 1 WHEN NOT MATCHED THEN INSERT ([id], [name], [low], [high], [seen], [version]) VALUES (source.[id], source.[name], source.[low], source.[high], source.[seen], source.[version]);
COMMIT

-- update
UPDATE news_tag SET name=? WHERE news_tag.slug = ?

-- update by what was there
UPDATE news_story SET weight=(news_story.weight + ?)

-- delete
DELETE FROM news_profile WHERE news_profile.motto = ?

-- a transaction
BEGIN TRANSACTION
SAVE TRANSACTION toolkit_1
SELECT 1
COMMIT

-- table news.Section
CREATE TABLE news_section ( id BIGINT NOT NULL IDENTITY, name NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NOT NULL, slug NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NOT NULL, position BIGINT NOT NULL, visible BIT NOT NULL, CONSTRAINT news_section_pkey PRIMARY KEY (id), CONSTRAINT news_section_slug_key UNIQUE (slug) )

-- table news.Author
CREATE TABLE news_author ( id BIGINT NOT NULL IDENTITY, name NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NOT NULL, slug NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NOT NULL, CONSTRAINT news_author_pkey PRIMARY KEY (id), CONSTRAINT news_author_slug_key UNIQUE (slug) )

-- table news.Profile
CREATE TABLE news_profile ( id BIGINT NOT NULL IDENTITY, author_id BIGINT NOT NULL, motto NVARCHAR(80) COLLATE Latin1_General_100_BIN2 NOT NULL, CONSTRAINT news_profile_pkey PRIMARY KEY (id), CONSTRAINT news_profile_author_id_key UNIQUE (author_id), CONSTRAINT news_profile_author_id_fkey FOREIGN KEY(author_id) REFERENCES news_author (id) )

-- table news.Tag
CREATE TABLE news_tag ( id BIGINT NOT NULL IDENTITY, name NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NOT NULL, slug NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NOT NULL, CONSTRAINT news_tag_pkey PRIMARY KEY (id), CONSTRAINT news_tag_slug_key UNIQUE (slug) )

-- table news.Story
CREATE TABLE news_story ( id BIGINT NOT NULL IDENTITY, title NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL, slug NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NOT NULL, section_id BIGINT NOT NULL, editor_id BIGINT NULL, weight BIGINT NOT NULL, status NVARCHAR(10) COLLATE Latin1_General_100_BIN2 NOT NULL, published DATETIMEOFFSET NOT NULL, expires DATETIMEOFFSET NULL, CONSTRAINT news_story_pkey PRIMARY KEY (id), CONSTRAINT news_story_slug_key UNIQUE (slug), CONSTRAINT news_story_section_id_fkey FOREIGN KEY(section_id) REFERENCES news_section (id), CONSTRAINT news_story_editor_id_fkey FOREIGN KEY(editor_id) REFERENCES news_author (id) )
CREATE INDEX news_story_editor_id_idx ON news_story (editor_id)
CREATE INDEX news_story_published_idx ON news_story (published)
CREATE INDEX news_story_section_id_idx ON news_story (section_id)

-- table news.Byline
CREATE TABLE news_byline ( id BIGINT NOT NULL IDENTITY, story_id BIGINT NOT NULL, author_id BIGINT NOT NULL, position BIGINT NOT NULL, CONSTRAINT news_byline_pkey PRIMARY KEY (id), CONSTRAINT news_byline_story_id_fkey FOREIGN KEY(story_id) REFERENCES news_story (id), CONSTRAINT news_byline_author_id_fkey FOREIGN KEY(author_id) REFERENCES news_author (id) )
CREATE INDEX news_byline_author_id_idx ON news_byline (author_id)
CREATE INDEX news_byline_story_id_idx ON news_byline (story_id)

-- table news.Comment
CREATE TABLE news_comment ( id BIGINT NOT NULL IDENTITY, story_id BIGINT NOT NULL, parent_id BIGINT NULL, text NVARCHAR(max) COLLATE Latin1_General_100_BIN2 NOT NULL, score BIGINT NULL, CONSTRAINT news_comment_pkey PRIMARY KEY (id), CONSTRAINT news_comment_story_id_fkey FOREIGN KEY(story_id) REFERENCES news_story (id), CONSTRAINT news_comment_parent_id_fkey FOREIGN KEY(parent_id) REFERENCES news_comment (id) )
CREATE INDEX news_comment_parent_id_idx ON news_comment (parent_id)
CREATE INDEX news_comment_story_id_idx ON news_comment (story_id)

-- table news.Camera
CREATE TABLE news_camera ( id UNIQUEIDENTIFIER NOT NULL, name NVARCHAR(20) COLLATE Latin1_General_100_BIN2 NOT NULL, CONSTRAINT news_camera_pkey PRIMARY KEY (id) )

-- table news.Photograph
CREATE TABLE news_photograph ( code NVARCHAR(12) COLLATE Latin1_General_100_BIN2 NOT NULL, camera_id UNIQUEIDENTIFIER NOT NULL, CONSTRAINT news_photograph_pkey PRIMARY KEY (code), CONSTRAINT news_photograph_camera_id_fkey FOREIGN KEY(camera_id) REFERENCES news_camera (id) )
CREATE INDEX news_photograph_camera_id_idx ON news_photograph (camera_id)

-- table news.Everything
CREATE TABLE news_everything ( id BIGINT NOT NULL IDENTITY, char NVARCHAR(20) COLLATE Latin1_General_100_BIN2 NULL, text NVARCHAR(max) COLLATE Latin1_General_100_BIN2 NULL, slug NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NULL, markdown NVARCHAR(max) COLLATE Latin1_General_100_BIN2 NULL, email NVARCHAR(254) COLLATE Latin1_General_100_BIN2 NULL, url NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NULL, integer BIGINT NULL, positive BIGINT NULL, float DOUBLE PRECISION NULL, decimal NUMERIC(10, 2) NULL, boolean BIT NULL, date DATE NULL, instant DATETIMEOFFSET NULL, json NVARCHAR(max) NULL, uuid UNIQUEIDENTIFIER NULL, binary VARBINARY(max) NULL, small SMALLINT NULL, big BIGINT NULL, positive_small SMALLINT NULL, positive_big BIGINT NULL, time TIME NULL, duration BIGINT NULL, address NVARCHAR(39) COLLATE Latin1_General_100_BIN2 NULL, free_char NVARCHAR(max) COLLATE Latin1_General_100_BIN2 NULL, CONSTRAINT news_everything_pkey PRIMARY KEY (id), CONSTRAINT news_everything_positive_check CHECK ([positive] >= 0), CONSTRAINT news_everything_positive_small_check CHECK ([positive_small] >= 0), CONSTRAINT news_everything_positive_big_check CHECK ([positive_big] >= 0) )

-- table news.SectionTranslation
CREATE TABLE news_section_translation ( id BIGINT NOT NULL IDENTITY, name NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NULL, source_id BIGINT NOT NULL, locale NVARCHAR(35) COLLATE Latin1_General_100_BIN2 NOT NULL, CONSTRAINT news_section_translation_pkey PRIMARY KEY (id), CONSTRAINT news_section_translation_source_id_fkey FOREIGN KEY(source_id) REFERENCES news_section (id), CONSTRAINT news_section_translation_source_locale_key UNIQUE (source_id, locale) )
CREATE INDEX news_section_translation_source_id_idx ON news_section_translation (source_id)

-- table news.Story_tags
CREATE TABLE news_story_tags ( id BIGINT NOT NULL IDENTITY, story_id BIGINT NOT NULL, tag_id BIGINT NOT NULL, CONSTRAINT news_story_tags_pkey PRIMARY KEY (id), CONSTRAINT news_story_tags_story_id_fkey FOREIGN KEY(story_id) REFERENCES news_story (id), CONSTRAINT news_story_tags_tag_id_fkey FOREIGN KEY(tag_id) REFERENCES news_tag (id), CONSTRAINT news_story_tags_pair_key UNIQUE (story_id, tag_id) )
CREATE INDEX news_story_tags_story_id_idx ON news_story_tags (story_id)
CREATE INDEX news_story_tags_tag_id_idx ON news_story_tags (tag_id)

-- table news.StoryTranslation
CREATE TABLE news_story_translation ( id BIGINT NOT NULL IDENTITY, title NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NULL, slug NVARCHAR(50) COLLATE Latin1_General_100_BIN2 NULL, source_id BIGINT NOT NULL, locale NVARCHAR(35) COLLATE Latin1_General_100_BIN2 NOT NULL, CONSTRAINT news_story_translation_pkey PRIMARY KEY (id), CONSTRAINT news_story_translation_source_id_fkey FOREIGN KEY(source_id) REFERENCES news_story (id), CONSTRAINT news_story_translation_source_locale_key UNIQUE (source_id, locale), CONSTRAINT news_story_translation_slug_key UNIQUE (locale, slug) )
CREATE INDEX news_story_translation_source_id_idx ON news_story_translation (source_id)

-- table news.Ruled
CREATE TABLE news_ruled ( id BIGINT NOT NULL IDENTITY, name NVARCHAR(40) COLLATE Latin1_General_100_BIN2 NOT NULL, low BIGINT NOT NULL DEFAULT 1, high BIGINT NOT NULL, span AS (high - low), seen DATETIMEOFFSET NULL, version BIGINT NOT NULL, CONSTRAINT news_ruled_pkey PRIMARY KEY (id), CONSTRAINT ruled_low_below_high CHECK (low < high), CONSTRAINT ruled_name_low UNIQUE (name, low) )
CREATE INDEX news_ruled_high_idx ON news_ruled (high)
CREATE INDEX ruled_name_high ON news_ruled (name, high DESC)
execute sp_addextendedproperty 'MS_Description', N'ruled lines', 'schema', dbo, 'table', news_ruled
execute sp_addextendedproperty 'MS_Description', N'as printed', 'schema', dbo, 'table', news_ruled, 'column', name

