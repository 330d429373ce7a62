-- Nothing of the catalog changes. From here on dock and recorder of a box are users of their own, and files in its spool are theirs: an
-- older bewaard, which expects them to be core's, refuses this version, and its package refuses to be installed. See docs/schema.md.
select 1;
