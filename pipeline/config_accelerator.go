package pipeline

import (
	"strings"

	"planetag/enrich/infer"
)

func (c AcceleratorConfig) check(m *mistakes) {
	m.oneOf("accelerator.provider", c.Provider, infer.ProviderAuto, infer.ProviderCPU, infer.ProviderCUDA, infer.ProviderTensorRT)
	m.atLeast("accelerator.device", c.Device, 0)
	m.when(c.Memory < 0, "accelerator.memory is %v; give bytes, or 0 for what the network needs", c.Memory)
	for _, o := range c.Options {
		name, _, ok := strings.Cut(o, "=")
		m.when(!ok || name == "", "accelerator.options has %q; write name=value, with a name of ONNX Runtime's provider", o)
	}
}

// Resolve is the same in the words of the model.
func (c AcceleratorConfig) Resolve() infer.Device {
	d := infer.Device{Provider: c.Provider, ID: c.Device, Memory: int64(c.Memory), Cache: c.Cache, Options: map[string]string{}}
	for _, o := range c.Options {
		name, value, _ := strings.Cut(o, "=")
		d.Options[name] = value
	}
	return d
}
