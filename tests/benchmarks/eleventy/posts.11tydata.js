export default { layout: "story.njk", permalink: (data) => `/posts/${data.slug}/` };
