package pipeline

import (
	"planetag/enrich"
)

// albumPass are the photos of an album that one bundle embedded, in capture order, with that bundle: embeddings of another
// mean nothing to it.
type albumPass struct {
	model   *enrich.Model
	passer  passer
	mode    string
	members []*member
}

// passes are those of an album: of the bundle in use, and of the one that was before, while it is kept. Photos that any
// other bundle embedded, or that the model cannot take, keep the photo-level answer that they have. release must be called
// when the passes were run.
func (r *albumRun) passes(a *album) (passes []albumPass, release func()) {
	all := a.inOrder()
	now := albumPass{model: r.model, passer: r.passer, mode: albumMode(r.cfg, r.model.Info())}
	now.members = now.of(all)
	passes, rest := now.unlessEmpty(nil), len(all)-len(now.members)
	release = func() {}
	if former := r.formerOf(all); former != nil {
		release = func() { r.worker.release(former) }
		before := albumPass{model: former.model, passer: former.passer, mode: albumMode(former.cfg, former.model.Info())}
		before.members = before.of(all)
		passes, rest = before.unlessEmpty(passes), rest-len(before.members)
	}
	if rest > 0 {
		r.log.Warn("album holds photos that another bundle embedded; they keep their photo-level answer", "album", a.id, "photos", rest)
	}
	return passes, release
}

// formerOf is the former bundle if one of these photos is of it, held until it is released; else nil.
func (r *albumRun) formerOf(all []*member) *serving {
	if r.worker == nil {
		return nil
	}
	now := r.model.Info().SHA256
	for _, m := range all {
		if m.Model == now {
			continue
		}
		if former := r.worker.holdFormer(m.Model); former != nil {
			return former
		}
	}
	return nil
}

// of are the photos that this bundle's model can be run on.
func (p albumPass) of(all []*member) (members []*member) {
	sha := p.model.Info().SHA256
	for _, m := range all {
		if m.Model == sha && p.model.Check(m.photo()) == nil {
			members = append(members, m)
		}
	}
	return members
}

func (p albumPass) unlessEmpty(passes []albumPass) []albumPass {
	if len(p.members) == 0 {
		return passes
	}
	return append(passes, p)
}
