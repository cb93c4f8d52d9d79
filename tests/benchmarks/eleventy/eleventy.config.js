// The benchmark's site for Eleventy: the same pages, from the same Markdown files, as tests/corpus_site builds.
import fs from "node:fs";

const PER_PAGE = 50;
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const two = (number) => String(number).padStart(2, "0");

function readNames(file) {
  const lines = fs.readFileSync(file, "utf8").trim().split("\n").slice(1);
  return new Map(lines.map((line) => {
    const cut = line.indexOf(",");
    return [line.slice(0, cut), line.slice(cut + 1).replace(/^"|"$/g, "").replaceAll('""', '"')];
  }));
}

const names = { tags: readNames("tags.csv"), authors: readNames("authors.csv") };
const linked = (kind, slugs) => slugs.map((slug) => ({ slug, name: names[kind].get(slug), url: `/${kind}/${slug}/` }));
const byName = (one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0);

function storyOf(item) {
  const when = new Date(item.data.published);
  const month = MONTHS[when.getUTCMonth()];
  return {
    slug: item.data.slug, title: item.data.title, summary: item.data.summary, url: `/posts/${item.data.slug}/`, when,
    tags: linked("tags", item.data.tags.filter((tag) => names.tags.has(tag))), authors: linked("authors", item.data.authors),
    iso: item.data.published, long: `${month} ${when.getUTCDate()}, ${when.getUTCFullYear()}`, rfc: when.toUTCString(),
    month: `${when.getUTCFullYear()}/${two(when.getUTCMonth() + 1)}`, monthName: `${month} ${when.getUTCFullYear()}`,
  };
}

// Made once for a build: what the collections and filters below share.
let known;

function gather(api) {
  const files = api.getFilteredByGlob("content/posts/*.md");
  if (known?.files === files.length && known.first === files[0]) return known;
  const stories = files.map(storyOf).sort((a, b) => b.when - a.when || (a.slug < b.slug ? -1 : 1));
  stories.forEach((story, place) => { story.place = place; });
  const groups = { tags: new Map(), authors: new Map(), months: new Map() };
  const add = (kind, key, story) => { groups[kind].has(key) ? groups[kind].get(key).push(story) : groups[kind].set(key, [story]); };
  for (const story of stories) {
    story.tags.forEach((tag) => add("tags", tag.slug, story));
    story.authors.forEach((author) => add("authors", author.slug, story));
    add("months", story.month, story);
  }
  known = { files: files.length, first: files[0], stories, groups, bySlug: new Map(stories.map((story) => [story.slug, story])) };
  return known;
}

function paged(base, title, stories, feed) {
  const pages = Math.max(1, Math.ceil(stories.length / PER_PAGE));
  const url = (number) => (number === 1 ? base : `${base}page/${number}/`);
  return Array.from({ length: pages }, (_, index) => ({
    title, pages, number: index + 1, url: url(index + 1), feed: feed ?? "",
    previous: index ? url(index) : "", next: index + 1 < pages ? url(index + 2) : "",
    items: stories.slice(index * PER_PAGE, (index + 1) * PER_PAGE),
  }));
}

export default function (config) {
  config.addPassthroughCopy({ static: "static" });
  config.addCollection("stories", (api) => gather(api).stories);
  config.addCollection("latest", (api) => gather(api).stories.slice(0, 20));
  for (const [kind, one] of [["tags", "tag"], ["authors", "author"]]) {
    config.addCollection(`${one}Pages`, (api) => [...gather(api).groups[kind]].flatMap(([slug, stories]) =>
      paged(`/${kind}/${slug}/`, names[kind].get(slug), stories, kind === "tags" ? `/tags/${slug}/feed.xml` : "")));
    config.addCollection(`${kind}Names`, (api) => linked(kind, [...gather(api).groups[kind].keys()]).sort(byName));
  }
  config.addCollection("monthPages", (api) => [...gather(api).groups.months].flatMap(([month, stories]) =>
    paged(`/archive/${month}/`, stories[0].monthName, stories)));
  config.addCollection("archiveNames", (api) => [...gather(api).groups.months].map(([month, stories]) =>
    ({ name: stories[0].monthName, url: `/archive/${month}/` })));
  config.addCollection("feeds", (api) => [
    { title: "The Corpus", link: "/", url: "/feed.xml", description: "All new stories", items: gather(api).stories.slice(0, 20) },
    ...[...gather(api).groups.tags].map(([slug, stories]) => {
      const name = names.tags.get(slug);
      return { title: name, link: `/tags/${slug}/`, url: `/tags/${slug}/feed.xml`, description: `New stories on ${name}`, items: stories.slice(0, 20) };
    }),
  ]);
  config.addCollection("sitemap", (api) => [
    ...["/", "/tags/", "/authors/", "/archive/"].map((url) => ({ url })),
    ...gather(api).stories.map((story) => ({ url: story.url, lastmod: story.iso })),
  ]);
  config.addFilter("storyOf", (stories, slug) => known.bySlug.get(slug));
  // Five stories that share tags with this one: most shared tags first, then the newest.
  config.addFilter("related", (stories, slug) => {
    if (process.env.RELATED === "none") return [];
    const story = known.bySlug.get(slug);
    const shared = new Map();
    for (const tag of story.tags) {
      for (const other of known.groups.tags.get(tag.slug)) shared.set(other, (shared.get(other) ?? 0) + 1);
    }
    shared.delete(story);
    return [...shared].sort((a, b) => b[1] - a[1] || a[0].place - b[0].place).slice(0, 5).map(([other]) => other);
  });
  return { markdownTemplateEngine: false, htmlTemplateEngine: "njk", dir: { input: ".", output: "_site" } };
}
