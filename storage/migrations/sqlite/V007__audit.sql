-- What became of what operators did. Only adds: a server of the release before goes on beside it.

-- 'done', or the code of the refusal; '': it was tried, and nobody told how it went (so did releases before this one).
ALTER TABLE audit ADD COLUMN outcome TEXT NOT NULL DEFAULT '';
