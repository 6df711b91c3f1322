"""A tiny masked-diffusion model with the interface of LLaDA and Dream, as code that weights come with."""

import torch
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput


class MaskedConfig(PretrainedConfig):
    model_type = "llada"

    def __init__(self, vocab_size=400, hidden_size=32, num_attention_heads=4, num_hidden_layers=2, **more):
        self.vocab_size, self.hidden_size = vocab_size, hidden_size
        self.num_attention_heads, self.num_hidden_layers = num_attention_heads, num_hidden_layers
        super().__init__(**more)


class MaskedModel(PreTrainedModel):
    config_class = MaskedConfig
    _tied_weights_keys = None

    def __init__(self, config):
        super().__init__(config)
        self.embedding = torch.nn.Embedding(config.vocab_size, config.hidden_size)
        self.places = torch.nn.Embedding(512, config.hidden_size)
        layer = torch.nn.TransformerEncoderLayer(
            config.hidden_size, config.num_attention_heads, 64, dropout=0.0, batch_first=True
        )
        self.layers = torch.nn.TransformerEncoder(layer, config.num_hidden_layers)
        self.out = torch.nn.Linear(config.hidden_size, config.vocab_size)
        self.post_init()

    def _init_weights(self, module):
        pass

    def forward(self, input_ids, attention_mask=None, **more):
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        hidden = self.layers(self.embedding(input_ids) + self.places(places))
        return CausalLMOutput(logits=self.out(hidden))
