-- exclude keeps NULL
-- Comment.objects.exclude(score=5)
SELECT news_comment.id, news_comment.story_id, news_comment.parent_id, news_comment.text, news_comment.score FROM news_comment WHERE NOT (news_comment.score = %s::BIGINT AND news_comment.score IS NOT NULL) ORDER BY news_comment.id;

-- exclude of a comparison keeps NULL
-- Comment.objects.exclude(score__gt=1)
SELECT news_comment.id, news_comment.story_id, news_comment.parent_id, news_comment.text, news_comment.score FROM news_comment WHERE NOT (news_comment.score > %s::BIGINT AND news_comment.score IS NOT NULL) ORDER BY news_comment.id;

-- not, and not not
-- Comment.objects.filter(~~Q(score__gt=1))
SELECT news_comment.id, news_comment.story_id, news_comment.parent_id, news_comment.text, news_comment.score FROM news_comment WHERE news_comment.score > %s::BIGINT ORDER BY news_comment.id;

-- None is NULL
-- Comment.objects.filter(score=None)
SELECT news_comment.id, news_comment.story_id, news_comment.parent_id, news_comment.text, news_comment.score FROM news_comment WHERE news_comment.score IS NULL ORDER BY news_comment.id;

-- is not NULL
-- Story.objects.filter(expires__isnull=False)
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.expires IS NOT NULL ORDER BY news_story.published DESC, news_story.id;

-- a column that may be NULL against another
-- Story.objects.exclude(expires__gt=F('published') + timedelta(days=31))
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE NOT coalesce(news_story.expires > CASE WHEN (%s NOT BETWEEN -INTERVAL '3652059 days' AND INTERVAL '3652059 days') THEN NULL WHEN (timezone('UTC', timezone('UTC', news_story.published) + %s) BETWEEN TIMESTAMPTZ '0001-01-01 00:00:00+00' AND TIMESTAMPTZ '9999-12-31 23:59:59.999999+00') THEN timezone('UTC', timezone('UTC', news_story.published) + %s) END, false) ORDER BY news_story.published DESC, news_story.id;

-- NULL in a list means nothing
-- Comment.objects.filter(score__in=[None, 1])
SELECT news_comment.id, news_comment.story_id, news_comment.parent_id, news_comment.text, news_comment.score FROM news_comment WHERE news_comment.score IN (%s::BIGINT) ORDER BY news_comment.id;

-- exclude a list with NULL in it
-- Comment.objects.exclude(score__in=[None, 1])
SELECT news_comment.id, news_comment.story_id, news_comment.parent_id, news_comment.text, news_comment.score FROM news_comment WHERE NOT (news_comment.score IN (%s::BIGINT) AND news_comment.score IS NOT NULL) ORDER BY news_comment.id;

-- NULL comes first
-- Comment.objects.order_by('score')
SELECT news_comment.id, news_comment.story_id, news_comment.parent_id, news_comment.text, news_comment.score FROM news_comment ORDER BY news_comment.score ASC NULLS FIRST, news_comment.id;

-- and last when descending
-- Comment.objects.order_by('-score')
SELECT news_comment.id, news_comment.story_id, news_comment.parent_id, news_comment.text, news_comment.score FROM news_comment ORDER BY news_comment.score DESC NULLS LAST, news_comment.id;

-- unless it is said otherwise
-- Comment.objects.order_by(F('score').asc(nulls_last=True))
SELECT news_comment.id, news_comment.story_id, news_comment.parent_id, news_comment.text, news_comment.score FROM news_comment ORDER BY news_comment.score ASC NULLS LAST, news_comment.id;

-- partners against the row itself, looked for by each row
-- Story.objects.filter(comments__score__lt=F('weight'))
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE EXISTS (SELECT 1 FROM news_comment AS t1 WHERE t1.score < news_story.weight AND t1.story_id = news_story.id) ORDER BY news_story.published DESC, news_story.id;

-- an empty list
-- Story.objects.filter(weight__in=[])

-- all but an empty list
-- Tag.objects.exclude(slug__in=[])
SELECT news_tag.id, news_tag.name, news_tag.slug FROM news_tag WHERE true ORDER BY news_tag.name, news_tag.id;

-- a list
-- Tag.objects.filter(slug__in=['sea', 'tax', 'none'])
SELECT news_tag.id, news_tag.name, news_tag.slug FROM news_tag WHERE news_tag.slug IN (%s::VARCHAR, %s::VARCHAR, %s::VARCHAR, %s::VARCHAR) ORDER BY news_tag.name, news_tag.id;

-- a range
-- Story.objects.filter(weight__range=(1, 3))
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.weight BETWEEN %s::BIGINT AND %s::BIGINT ORDER BY news_story.published DESC, news_story.id;

-- a range the wrong way round
-- Story.objects.filter(weight__range=(3, 1))
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.weight BETWEEN %s::BIGINT AND %s::BIGINT ORDER BY news_story.published DESC, news_story.id;

-- none()
-- Story.objects.none().filter(weight=3)

-- the first two
-- Story.objects.order_by('published')[:2]
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story ORDER BY news_story.published, news_story.id LIMIT %s::BIGINT;

-- a slice of a slice
-- Story.objects.order_by('published')[1:4][1:]
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story ORDER BY news_story.published, news_story.id LIMIT %s::BIGINT OFFSET %s::BIGINT;

-- past the end
-- Story.objects.order_by('pk')[4:9]
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story ORDER BY news_story.id LIMIT %s::BIGINT OFFSET %s::BIGINT;

-- every second
-- Story.objects.order_by('pk')[::2]
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story ORDER BY news_story.id;

-- one row
-- Story.objects.order_by('pk')[1]
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story ORDER BY news_story.id LIMIT %s::BIGINT OFFSET %s::BIGINT;

-- the last
-- Story.objects.order_by('weight').last()
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story ORDER BY news_story.weight DESC, news_story.id DESC LIMIT %s::BIGINT;

-- the latest
-- Story.objects.latest()
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story ORDER BY news_story.published DESC, news_story.id DESC LIMIT %s::BIGINT;

-- a count of a slice
-- Story.objects.all()[1:3].count()
SELECT count(*) AS count_1 FROM (SELECT news_story.id AS v0 FROM news_story ORDER BY news_story.published DESC, news_story.id LIMIT %s::BIGINT OFFSET %s::BIGINT) AS anon_1;

-- whether there is any
-- Story.objects.filter(weight__gt=5).exists()
SELECT 1 AS found FROM news_story WHERE news_story.weight > %s::BIGINT LIMIT 1;

-- get
-- Story.objects.get(slug='fair')
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.slug = %s::VARCHAR ORDER BY news_story.published DESC, news_story.id LIMIT %s::BIGINT;

-- in bulk
-- sorted(Story.objects.in_bulk([2, 5, 9]))
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.id IN (%s::BIGINT, %s::BIGINT, %s::BIGINT, %s::BIGINT) ORDER BY news_story.published DESC, news_story.id;

-- across a reference
-- Story.objects.filter(section__slug='sport')
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story JOIN news_section AS t1 ON news_story.section_id = t1.id WHERE t1.slug = %s::VARCHAR ORDER BY news_story.published DESC, news_story.id;

-- a reference that may be NULL
-- Story.objects.exclude(editor__name='Ann')
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story LEFT OUTER JOIN news_author AS t1 ON news_story.editor_id = t1.id WHERE NOT (t1.name = %s::VARCHAR AND t1.name IS NOT NULL) ORDER BY news_story.published DESC, news_story.id;

-- the key of a reference needs no join
-- Story.objects.filter(section__pk=1, editor_id=2)
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.section_id = %s::BIGINT AND news_story.editor_id = %s::BIGINT ORDER BY news_story.published DESC, news_story.id;

-- many partners give each row once
-- Story.objects.filter(tags__slug__in=['sea', 'ferry'])
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.id IN (SELECT t2.story_id FROM news_tag AS t1 JOIN news_story_tags AS t2 ON t2.tag_id = t1.id WHERE t1.slug IN (%s::VARCHAR, %s::VARCHAR) AND t2.story_id IS NOT NULL) ORDER BY news_story.published DESC, news_story.id;

-- two conditions on one partner
-- Story.objects.filter(comments__text='Good', comments__score__lt=5)
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.id IN (SELECT t1.story_id FROM news_comment AS t1 WHERE t1.text = %s::VARCHAR AND t1.score < %s::BIGINT AND t1.story_id IS NOT NULL) ORDER BY news_story.published DESC, news_story.id;

-- on two partners
-- Story.objects.filter(comments__text='Good').filter(comments__score__lt=5)
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.id IN (SELECT t1.story_id FROM news_comment AS t1 WHERE t1.text = %s::VARCHAR AND t1.story_id IS NOT NULL) AND news_story.id IN (SELECT t2.story_id FROM news_comment AS t2 WHERE t2.score < %s::BIGINT AND t2.story_id IS NOT NULL) ORDER BY news_story.published DESC, news_story.id;

-- exclude one partner
-- Story.objects.exclude(comments__text='Good', comments__score__lt=5)
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE (news_story.id NOT IN (SELECT t1.story_id FROM news_comment AS t1 WHERE t1.text = %s::VARCHAR AND t1.score < %s::BIGINT AND t1.story_id IS NOT NULL)) ORDER BY news_story.published DESC, news_story.id;

-- no partner
-- Story.objects.filter(tags=None)
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE (news_story.id NOT IN (SELECT t2.story_id FROM news_story_tags AS t2 WHERE t2.story_id IS NOT NULL)) ORDER BY news_story.published DESC, news_story.id;

-- a partner without a value, or no partner
-- Story.objects.filter(comments__score=None)
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.id IN (SELECT t1.story_id FROM news_comment AS t1 WHERE t1.score IS NULL AND t1.story_id IS NOT NULL) OR (news_story.id NOT IN (SELECT t2.story_id FROM news_comment AS t2 WHERE t2.story_id IS NOT NULL)) ORDER BY news_story.published DESC, news_story.id;

-- through the table between
-- Story.objects.filter(bylines__position=0, bylines__author__name='Ann')
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.id IN (SELECT t1.story_id FROM news_byline AS t1 JOIN news_author AS t2 ON t1.author_id = t2.id WHERE t1.position = %s::BIGINT AND t2.name = %s::VARCHAR AND t1.story_id IS NOT NULL) ORDER BY news_story.published DESC, news_story.id;

-- back and forth
-- Section.objects.filter(stories__authors__name='Ann')
SELECT news_section.id, news_section.name, news_section.slug, news_section.position, news_section.visible FROM news_section WHERE news_section.id IN (SELECT t1.section_id FROM news_story AS t1 WHERE t1.id IN (SELECT t3.story_id FROM news_author AS t2 JOIN news_byline AS t3 ON t3.author_id = t2.id WHERE t2.name = %s::VARCHAR AND t3.story_id IS NOT NULL) AND t1.section_id IS NOT NULL) ORDER BY news_section.position, news_section.id;

-- itself
-- Comment.objects.filter(parent__text='Good')
SELECT news_comment.id, news_comment.story_id, news_comment.parent_id, news_comment.text, news_comment.score FROM news_comment LEFT OUTER JOIN news_comment AS t1 ON news_comment.parent_id = t1.id WHERE t1.text = %s::VARCHAR ORDER BY news_comment.id;

-- or across relations
-- Story.objects.filter(Q(tags__slug='tax') | Q(editor=None))
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.id IN (SELECT t2.story_id FROM news_tag AS t1 JOIN news_story_tags AS t2 ON t2.tag_id = t1.id WHERE t1.slug = %s::VARCHAR AND t2.story_id IS NOT NULL) OR news_story.editor_id IS NULL ORDER BY news_story.published DESC, news_story.id;

-- one of two
-- Story.objects.filter(Q(weight=3) ^ Q(section=1))
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE CASE WHEN (news_story.weight = %s::BIGINT) THEN 1 ELSE 0 END != CASE WHEN (news_story.section_id = %s::BIGINT) THEN 1 ELSE 0 END ORDER BY news_story.published DESC, news_story.id;

-- the order of the other model
-- Story.objects.order_by('section', 'pk')
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story JOIN news_section AS t1 ON news_story.section_id = t1.id ORDER BY t1.position ASC NULLS FIRST, news_story.id;

-- order by a name of the other model
-- Story.objects.order_by('-section__name', '-weight')
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story JOIN news_section AS t1 ON news_story.section_id = t1.id ORDER BY t1.name DESC NULLS LAST, news_story.weight DESC, news_story.id;

-- order by a reference that may be NULL
-- Story.objects.order_by('editor__name', 'title')
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story LEFT OUTER JOIN news_author AS t1 ON news_story.editor_id = t1.id ORDER BY t1.name ASC NULLS FIRST, news_story.title, news_story.id;

-- a question in a list
-- Story.objects.filter(section__in=Section.objects.filter(position__gt=0))
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.section_id IN (SELECT t1.id AS v0 FROM news_section AS t1 WHERE t1.position > %s::BIGINT) ORDER BY news_story.published DESC, news_story.id;

-- values of a question in a list
-- Author.objects.filter(name__in=Story.objects.filter(weight=3).values('editor__name'))
SELECT news_author.id, news_author.name, news_author.slug FROM news_author WHERE news_author.name IN (SELECT t2.name AS v0 FROM news_story AS t1 LEFT OUTER JOIN news_author AS t2 ON t1.editor_id = t2.id WHERE t1.weight = %s::BIGINT) ORDER BY news_author.name, news_author.id;

-- a slice in a list
-- Comment.objects.filter(story__in=Story.objects.order_by('-published')[:1])
SELECT news_comment.id, news_comment.story_id, news_comment.parent_id, news_comment.text, news_comment.score FROM news_comment WHERE news_comment.story_id IN (SELECT t1.id AS v0 FROM news_story AS t1 ORDER BY t1.published DESC, t1.id LIMIT %s::BIGINT) ORDER BY news_comment.id;

-- one value of a question
-- Story.objects.filter(weight__gt=Story.objects.filter(slug='fair').values('weight'))
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.weight > (SELECT t1.weight FROM news_story AS t1 WHERE t1.slug = %s::VARCHAR ORDER BY t1.published DESC, t1.id LIMIT 1) ORDER BY news_story.published DESC, news_story.id;

-- values
-- Tag.objects.values('slug', 'stories__title')[:3]
SELECT news_tag.slug AS v0, t2.title AS v1 FROM news_tag LEFT OUTER JOIN news_story_tags AS t1 ON t1.tag_id = news_tag.id LEFT OUTER JOIN news_story AS t2 ON t1.story_id = t2.id ORDER BY news_tag.name, news_tag.id, t1.id ASC NULLS FIRST LIMIT %s::BIGINT;

-- values across a reference
-- Story.objects.values_list('title', 'editor__name')[2:4]
SELECT news_story.title AS v0, t1.name AS v1 FROM news_story LEFT OUTER JOIN news_author AS t1 ON news_story.editor_id = t1.id ORDER BY news_story.published DESC, news_story.id LIMIT %s::BIGINT OFFSET %s::BIGINT;

-- distinct values
-- Story.objects.order_by('weight').values_list('weight', flat=True).distinct()
SELECT DISTINCT news_story.weight AS v0 FROM news_story ORDER BY news_story.weight;

-- the first of each
-- Story.objects.order_by('-weight').distinct('section')
SELECT t2.c0, t2.c1, t2.c2, t2.c3, t2.c4, t2.c5, t2.c6, t2.c7, t2.c8 FROM (SELECT DISTINCT ON (t1.c3) t1.c0 AS c0, t1.c1 AS c1, t1.c2 AS c2, t1.c3 AS c3, t1.c4 AS c4, t1.c5 AS c5, t1.c6 AS c6, t1.c7 AS c7, t1.c8 AS c8 FROM (SELECT news_story.id AS c0, news_story.title AS c1, news_story.slug AS c2, news_story.section_id AS c3, news_story.editor_id AS c4, news_story.weight AS c5, news_story.status AS c6, news_story.published AS c7, news_story.expires AS c8 FROM news_story) AS t1 ORDER BY t1.c3, t1.c5 DESC, t1.c0) AS t2 ORDER BY t2.c5 DESC, t2.c0;

-- a union
-- Tag.objects.values_list('slug').union(Section.objects.values_list('slug')).order_by('-slug')
SELECT t3.v0 AS v0 FROM (SELECT t1.slug AS v0 FROM news_tag AS t1 UNION SELECT t2.slug AS v0 FROM news_section AS t2) AS t3 ORDER BY t3.v0 DESC NULLS LAST;

-- an intersection
-- Story.objects.filter(weight=3).intersection(Story.objects.filter(section=1))
SELECT t3.id, t3.title, t3.slug, t3.section_id, t3.editor_id, t3.weight, t3.status, t3.published, t3.expires FROM (SELECT t1.id AS id, t1.title AS title, t1.slug AS slug, t1.section_id AS section_id, t1.editor_id AS editor_id, t1.weight AS weight, t1.status AS status, t1.published AS published, t1.expires AS expires FROM news_story AS t1 WHERE t1.weight = %s::BIGINT INTERSECT SELECT t2.id AS id, t2.title AS title, t2.slug AS slug, t2.section_id AS section_id, t2.editor_id AS editor_id, t2.weight AS weight, t2.status AS status, t2.published AS published, t2.expires AS expires FROM news_story AS t2 WHERE t2.section_id = %s::BIGINT) AS t3 ORDER BY t3.id ASC NULLS FIRST;

-- a difference, sliced
-- Story.objects.difference(Story.objects.filter(weight=3)).order_by('title')[:2]
SELECT t3.id, t3.title, t3.slug, t3.section_id, t3.editor_id, t3.weight, t3.status, t3.published, t3.expires FROM (SELECT t1.id AS id, t1.title AS title, t1.slug AS slug, t1.section_id AS section_id, t1.editor_id AS editor_id, t1.weight AS weight, t1.status AS status, t1.published AS published, t1.expires AS expires FROM news_story AS t1 EXCEPT SELECT t2.id AS id, t2.title AS title, t2.slug AS slug, t2.section_id AS section_id, t2.editor_id AS editor_id, t2.weight AS weight, t2.status AS status, t2.published AS published, t2.expires AS expires FROM news_story AS t2 WHERE t2.weight = %s::BIGINT) AS t3 ORDER BY t3.title ASC NULLS FIRST, t3.id ASC NULLS FIRST LIMIT %s::BIGINT;

-- either
-- Story.objects.filter(weight=5) | Story.objects.filter(editor=None)
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.weight = %s::BIGINT OR news_story.editor_id IS NULL ORDER BY news_story.published DESC, news_story.id;

-- a wildcard is a letter
-- Story.objects.filter(title__contains='%')
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.title LIKE %s::VARCHAR ESCAPE '\' ORDER BY news_story.published DESC, news_story.id;

-- without regard to case
-- Story.objects.filter(title__icontains='FA')
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE upper(translate(replace(replace(news_story.title, 'İ', 'i̇'), 'ẞ', 'ss'), 'ıϴΩKÅ', '﷐θωkå') COLLATE "und-x-icu") LIKE upper(translate(replace(replace(%s::VARCHAR, 'İ', 'i̇'), 'ẞ', 'ss'), 'ıϴΩKÅ', '﷐θωkå') COLLATE "und-x-icu") ESCAPE '\' ORDER BY news_story.published DESC, news_story.id;

-- the beginning
-- Story.objects.filter(title__startswith='F').exclude(title__endswith='l')
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.title LIKE %s::VARCHAR ESCAPE '\' AND NOT coalesce(news_story.title LIKE %s::VARCHAR ESCAPE '\', false) ORDER BY news_story.published DESC, news_story.id;

-- a text in another column
-- Story.objects.filter(title__istartswith=F('slug'), status__contains=Value('iv'))
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE upper(translate(replace(replace(news_story.title, 'İ', 'i̇'), 'ẞ', 'ss'), 'ıϴΩKÅ', '﷐θωkå') COLLATE "und-x-icu") LIKE upper(translate(replace(replace(replace(replace(replace(news_story.slug, %s::VARCHAR, %s::VARCHAR), %s::VARCHAR, %s::VARCHAR), %s::VARCHAR, %s::VARCHAR) || %s::VARCHAR, 'İ', 'i̇'), 'ẞ', 'ss'), 'ıϴΩKÅ', '﷐θωkå') COLLATE "und-x-icu") ESCAPE '\' AND news_story.status LIKE (%s::VARCHAR || replace(replace(replace(%s::VARCHAR, %s::VARCHAR, %s::VARCHAR), %s::VARCHAR, %s::VARCHAR), %s::VARCHAR, %s::VARCHAR) || %s::VARCHAR) ESCAPE '\' ORDER BY news_story.published DESC, news_story.id;

-- a regular expression
-- Story.objects.filter(title__regex='^F.{3,4}$')
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.title ~ %s::VARCHAR ORDER BY news_story.published DESC, news_story.id;

-- a year is a span
-- Story.objects.filter(published__year=2026)
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.published BETWEEN %s::TIMESTAMP WITH TIME ZONE AND %s::TIMESTAMP WITH TIME ZONE ORDER BY news_story.published DESC, news_story.id;

-- years
-- Story.objects.filter(published__year__in=[2024, 2025])
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.published BETWEEN %s::TIMESTAMP WITH TIME ZONE AND %s::TIMESTAMP WITH TIME ZONE OR news_story.published BETWEEN %s::TIMESTAMP WITH TIME ZONE AND %s::TIMESTAMP WITH TIME ZONE ORDER BY news_story.published DESC, news_story.id;

-- before a year
-- Story.objects.exclude(published__year__gte=2026)
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE NOT coalesce(news_story.published BETWEEN %s::TIMESTAMP WITH TIME ZONE AND %s::TIMESTAMP WITH TIME ZONE, false) ORDER BY news_story.published DESC, news_story.id;

-- a day
-- Story.objects.filter(published__date=date(2026, 2, 14))
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.published BETWEEN %s::TIMESTAMP WITH TIME ZONE AND %s::TIMESTAMP WITH TIME ZONE ORDER BY news_story.published DESC, news_story.id;

-- a month and a weekday
-- Story.objects.filter(published__month=2, published__iso_week_day=6)
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE CAST(EXTRACT(month FROM timezone('UTC', news_story.published)) AS INTEGER) = %s::BIGINT AND CAST(EXTRACT(isodow FROM timezone('UTC', news_story.published)) AS INTEGER) = %s::BIGINT ORDER BY news_story.published DESC, news_story.id;

-- months
-- Story.objects.dates('published', 'month')
SELECT DISTINCT CAST(date_trunc('month', timezone('UTC', news_story.published)) AS DATE) AS v0 FROM news_story WHERE news_story.published IS NOT NULL ORDER BY 1 ASC NULLS FIRST;

-- years, the last first
-- Story.objects.dates('published', 'year', 'DESC')
SELECT DISTINCT CAST(date_trunc('year', timezone('UTC', news_story.published)) AS DATE) AS v0 FROM news_story WHERE news_story.published IS NOT NULL ORDER BY 1 DESC NULLS LAST;

-- hours
-- Story.objects.filter(weight=3).datetimes('published', 'hour')
SELECT DISTINCT timezone('UTC', timezone('UTC', news_story.published) - (timezone('UTC', news_story.published) - date_trunc('hour', timezone('UTC', news_story.published)))) AS v0 FROM news_story WHERE news_story.weight = %s::BIGINT AND news_story.published IS NOT NULL ORDER BY 1 ASC NULLS FIRST;

-- quarters
-- Story.objects.values_list(TruncQuarter('published')).distinct().order_by('-truncquarter1')[:1]
SELECT DISTINCT timezone('UTC', date_trunc('quarter', timezone('UTC', news_story.published))) AS v0 FROM news_story ORDER BY 1 DESC NULLS LAST LIMIT %s::BIGINT;

-- a column against a part of another
-- Story.objects.filter(weight__lt=F('published__month'), published__year=F('expires__year'))
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.weight < CAST(EXTRACT(month FROM timezone('UTC', news_story.published)) AS INTEGER) AND CAST(EXTRACT(year FROM timezone('UTC', news_story.published)) AS INTEGER) = CAST(EXTRACT(year FROM timezone('UTC', news_story.expires)) AS INTEGER) ORDER BY news_story.published DESC, news_story.id;

-- arithmetic
-- Story.objects.filter(weight__gte=F('pk') + 1)
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.weight >= news_story.id + %s::BIGINT ORDER BY news_story.published DESC, news_story.id;

-- a computed list
-- Story.objects.filter(weight__in=[F('pk') + 1, 0])
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires FROM news_story WHERE news_story.weight IN (news_story.id + %s::BIGINT, %s::BIGINT) ORDER BY news_story.published DESC, news_story.id;

-- choices
-- Story.objects.annotate(size=Case(When(weight__gt=3, then=Value('big')), When(expires=None, then=Value('old')), default=Value('-'))).values_list('size', flat=True)
SELECT CASE WHEN (news_story.weight > %s::BIGINT) THEN %s::VARCHAR WHEN (news_story.expires IS NULL) THEN %s::VARCHAR ELSE %s::VARCHAR END AS v0 FROM news_story ORDER BY news_story.published DESC, news_story.id;

-- a function of two columns
-- Story.objects.annotate(line=Concat('section__name', Value('/'), 'slug')).filter(line__endswith='al').values_list('line', flat=True)
SELECT coalesce(t1.name, '') || coalesce(%s::VARCHAR, '') || coalesce(news_story.slug, '') AS v0 FROM news_story JOIN news_section AS t1 ON news_story.section_id = t1.id WHERE (coalesce(t1.name, '') || coalesce(%s::VARCHAR, '') || coalesce(news_story.slug, '')) LIKE %s::VARCHAR ESCAPE '\' ORDER BY news_story.published DESC, news_story.id;

-- exists
-- Section.objects.filter(~Exists(Story.objects.filter(section=OuterRef('pk'))))
SELECT news_section.id, news_section.name, news_section.slug, news_section.position, news_section.visible FROM news_section WHERE NOT coalesce(EXISTS (SELECT 1 AS found FROM news_story AS t1 WHERE t1.section_id = news_section.id), false) ORDER BY news_section.position, news_section.id;

-- the newest of each
-- Section.objects.annotate(newest=Subquery(Story.objects.filter(section=OuterRef('pk')).order_by('-published').values('title')[:1])).values_list('newest', flat=True)
SELECT (SELECT t1.title FROM news_story AS t1 WHERE t1.section_id = news_section.id ORDER BY t1.published DESC, t1.id LIMIT %s::BIGINT) AS v0 FROM news_section ORDER BY news_section.position, news_section.id;

-- a count of partners
-- Author.objects.annotate(n=Count('stories')).values_list('name', 'n')
SELECT news_author.name AS v0, (SELECT count(t2.story_id) AS count_1 FROM news_byline AS t2 WHERE t2.author_id = news_author.id) AS v1 FROM news_author ORDER BY news_author.name, news_author.id;

-- two counts side by side
-- Story.objects.annotate(t=Count('tags'), c=Count('comments')).values_list('t', 'c')
SELECT (SELECT count(t2.tag_id) AS count_1 FROM news_story_tags AS t2 WHERE t2.story_id = news_story.id) AS v0, (SELECT count(t3.id) AS count_2 FROM news_comment AS t3 WHERE t3.story_id = news_story.id) AS v1 FROM news_story ORDER BY news_story.published DESC, news_story.id;

-- a count under a condition
-- Story.objects.annotate(n=Count('comments', filter=Q(comments__score__gt=1))).filter(n__gt=0)
SELECT news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, news_story.weight, news_story.status, news_story.published, news_story.expires, (SELECT count(t1.id) AS count_1 FROM news_comment AS t1 WHERE t1.story_id = news_story.id AND t1.score > %s::BIGINT) AS a_1 FROM news_story WHERE (SELECT count(t1.id) AS count_1 FROM news_comment AS t1 WHERE t1.story_id = news_story.id AND t1.score > %s::BIGINT) > %s::BIGINT ORDER BY news_story.published DESC, news_story.id;

-- groups
-- Story.objects.order_by().values_list('section').annotate(n=Count('pk'), w=Sum('weight'))
SELECT news_story.section_id AS v0, count(news_story.id) AS v1, CAST(sum(news_story.weight) AS BIGINT) AS v2 FROM news_story GROUP BY news_story.section_id ORDER BY news_story.section_id;

-- groups that are large
-- Story.objects.order_by().values_list('status').annotate(n=Count('pk')).filter(n__gt=1)
SELECT news_story.status AS v0, count(news_story.id) AS v1 FROM news_story GROUP BY news_story.status HAVING count(news_story.id) > %s::BIGINT ORDER BY news_story.status;

-- what is counted is ordered by where it is selected
-- Tag.objects.annotate(n=Count('stories', filter=Q(stories__weight__gt=3))).order_by('-n').values_list('slug', 'n')
SELECT news_tag.slug AS v0, (SELECT count(t2.story_id) AS count_1 FROM news_story AS t1 JOIN news_story_tags AS t2 ON t2.story_id = t1.id WHERE t2.tag_id = news_tag.id AND t1.weight > %s::BIGINT) AS v1 FROM news_tag ORDER BY 2 DESC NULLS LAST, news_tag.id;

-- with NULL in another place
-- Story.objects.annotate(m=Max('comments__score', filter=Q(comments__score__gt=1))).order_by(F('m').desc(nulls_first=True)).values_list('slug', 'm')[2:]
SELECT news_story.slug AS v0, (SELECT max(t1.score) AS max_1 FROM news_comment AS t1 WHERE t1.story_id = news_story.id AND t1.score > %s::BIGINT) AS v1 FROM news_story ORDER BY 2 DESC NULLS FIRST, news_story.id LIMIT ALL OFFSET %s::BIGINT;

-- groups by a year
-- Story.objects.order_by().values_list('published__year').annotate(n=Count('pk')).order_by('published__year')
SELECT CAST(EXTRACT(year FROM timezone('UTC', news_story.published)) AS INTEGER) AS v0, count(news_story.id) AS v1 FROM news_story GROUP BY 1 ORDER BY CAST(EXTRACT(year FROM timezone('UTC', news_story.published)) AS INTEGER) ASC NULLS FIRST, 1 ASC NULLS FIRST;

-- totals
-- Comment.objects.aggregate(n=Count('pk'), s=Sum('score'), m=Max('score'))
SELECT count(news_comment.id) AS count_1, CAST(sum(news_comment.score) AS BIGINT) AS sum_1, max(news_comment.score) AS max_1 FROM news_comment;

-- a total of nothing
-- Comment.objects.filter(score__gt=9).aggregate(s=Sum('score', default=0))
SELECT coalesce(CAST(sum(news_comment.score) AS BIGINT), %s::BIGINT) AS coalesce_1 FROM news_comment WHERE news_comment.score > %s::BIGINT;

-- a key
-- Everything.objects.filter(json__views=5).values_list('pk', flat=True)
SELECT news_everything.id AS v0 FROM news_everything WHERE (news_everything.json -> %s::VARCHAR) = %s::JSONB ORDER BY news_everything.id;

-- an index, and a key of what is there
-- Everything.objects.filter(json__credit__0__name='AP').values_list('pk', flat=True)
SELECT news_everything.id AS v0 FROM news_everything WHERE (CASE WHEN (jsonb_typeof(news_everything.json -> %s::VARCHAR) = 'array') THEN (news_everything.json -> %s::VARCHAR) -> %s::INTEGER END -> %s::VARCHAR) = %s::JSONB ORDER BY news_everything.id;

-- null is not NULL
-- Everything.objects.filter(json__views=None).values_list('pk', flat=True)
SELECT news_everything.id AS v0 FROM news_everything WHERE jsonb_typeof(news_everything.json -> %s::VARCHAR) = 'null' ORDER BY news_everything.id;

-- no document
-- Everything.objects.filter(json=None).values_list('pk', flat=True)
SELECT news_everything.id AS v0 FROM news_everything WHERE news_everything.json IS NULL ORDER BY news_everything.id;

-- a key of any letters
-- Everything.objects.filter(**{'json__a%b': 'x_y'}).values_list('pk', flat=True)
SELECT news_everything.id AS v0 FROM news_everything WHERE (news_everything.json -> %s::VARCHAR) = %s::JSONB ORDER BY news_everything.id;

-- a value in a document
-- Everything.objects.exclude(json=None).values_list('json__views', flat=True)
SELECT news_everything.json -> %s::VARCHAR AS v0 FROM news_everything WHERE news_everything.json IS NOT NULL ORDER BY news_everything.id;

-- a rank
-- Story.objects.annotate(r=Window(Rank(), partition_by='section', order_by='-weight')).order_by('pk').values_list('r', flat=True)
SELECT rank() OVER (PARTITION BY news_story.section_id ORDER BY news_story.weight DESC) AS v0 FROM news_story ORDER BY news_story.id;

-- the best of each, by a window
-- Story.objects.annotate(r=Window(RowNumber(), partition_by='section', order_by='-weight')).filter(r=1)
SELECT t1.c0, t1.c1, t1.c2, t1.c3, t1.c4, t1.c5, t1.c6, t1.c7, t1.c8, t1.c9 AS a_1 FROM (SELECT news_story.id AS c0, news_story.title AS c1, news_story.slug AS c2, news_story.section_id AS c3, news_story.editor_id AS c4, news_story.weight AS c5, news_story.status AS c6, news_story.published AS c7, news_story.expires AS c8, row_number() OVER (PARTITION BY news_story.section_id ORDER BY news_story.weight DESC, news_story.id ASC) AS c9, CASE WHEN (row_number() OVER (PARTITION BY news_story.section_id ORDER BY news_story.weight DESC, news_story.id ASC) = %s::BIGINT) THEN 1 ELSE 0 END AS c10 FROM news_story) AS t1 WHERE t1.c10 = 1 ORDER BY t1.c7 DESC, t1.c0;

-- running totals
-- Story.objects.order_by('pk').values_list(Window(Sum('weight'), order_by='pk'), flat=True)
SELECT CAST(sum(news_story.weight) OVER (ORDER BY news_story.id) AS BIGINT) AS v0 FROM news_story ORDER BY news_story.id;
